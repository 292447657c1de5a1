// From a plan file and what was changed in it to everything that is shown. Pure, so that the tests run it without a
// browser.
import { compute_money, inputs_of, violations, type Money, type MoneyInputs, type Violation } from "./money";
import { flips_of, focus_of, sample, tornado_of, type Bar, type Flip, type Spread } from "./sensitivity";
import type { Input, OptionName, PlanFile, Question } from "./types";
import { decide, readiness_now, type Verdict } from "./verdict";

export type Changes = Readonly<Record<string, number>>;

export interface Answer {
  table: Input[]; // as they are now
  inputs: MoneyInputs;
  money: Money;
  focus: OptionName;
  tornado: Bar[];
  flips: Flip[];
  spread: Record<OptionName, Spread>;
  verdict: Verdict;
  readiness: { questions: Question[]; summary: string };
}

// A changed value keeps its range, stretched to hold it: somebody who tries a number is not certain of it.
export function changed_table(file: PlanFile, changes: Changes): Input[] {
  return file.inputs.map((input) => {
    const value = changes[input.name];
    if (value === undefined || value === input.value) return input;
    const varied = input.low < input.high;
    return {
      ...input,
      value,
      low: varied ? Math.min(input.low, value) : value,
      high: varied ? Math.max(input.high, value) : value,
    };
  });
}

export function check(table: readonly Input[]): Violation[] {
  return violations(table, inputs_of(table));
}

export function answer_of(file: PlanFile, table: Input[]): Answer {
  const inputs = inputs_of(table);
  const money = compute_money(inputs);
  const focus = focus_of(money);
  const moves = focus !== "stay";
  const tornado = moves ? tornado_of(table, inputs, focus) : [];
  const flips = moves ? flips_of(table, inputs, money, focus) : [];
  const spread = sample(table, inputs, file.sensitivity.seed, file.sensitivity.draws);
  const readiness = readiness_now(file, inputs, money.options[focus]);
  const verdict = decide({ file, inputs, money, focus, flips, spread });
  return { table, inputs, money, focus, tornado, flips, spread, verdict, readiness };
}
