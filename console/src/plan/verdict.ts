// The verdict and the readiness in words, from the numbers as they are now; the sentences of src/planner/verdict.cc and
// src/planner/readiness.cc.
import { MONTHS_MAX, NEVER, option_inputs, type Money, type MoneyInputs, type OptionMoney } from "./money";
import { flip_text, type Flip, type Spread } from "./sensitivity";
import { OPTIONS, type OptionName, type PlanFile, type Question } from "./types";
import { capital, dollars_text, fixed, money_text, month_text, signed, TITLES } from "./words";

export interface Verdict {
  word: string;
  refused: boolean;
  headline: string;
  reasons: string[];
  flips: string[];
  cautions: string[];
}

export interface Judged {
  file: PlanFile;
  inputs: MoneyInputs;
  money: Money;
  focus: OptionName;
  flips: Flip[];
  spread: Record<OptionName, Spread>;
}

function why_stay(m: MoneyInputs, option: OptionMoney): string {
  const months = fixed(m.horizon_months, 0);
  const title = TITLES[option.option];
  if (option.saved_npv_usd < 0) {
    return `The best other way (${title}) costs ${money_text(-option.saved_npv_usd)} more than staying over ${months} months.`;
  }
  return (
    `The best other way (${title}) saves ${money_text(option.saved_npv_usd)} over ${months} months, less than the ` +
    `${fixed(100 * m.min_return_share, 0)} % of its own cost (${money_text(option.fleet_npv_usd)}) or the ` +
    `${dollars_text(m.min_saving_usd_month)} a month that would pay for the risk.`
  );
}

function why_move(m: MoneyInputs, money: Money): string {
  const option = money.options[money.best];
  return (
    `It costs ${money_text(option.npv_usd)} over ${fixed(m.horizon_months, 0)} months where staying costs ` +
    `${money_text(money.options.stay.npv_usd)}: ${money_text(option.saved_npv_usd)} less in present value.`
  );
}

const per_mtok = (usd: number): string => (usd < 1000 ? `$${fixed(usd, 2)}` : dollars_text(usd));
const machine_sentence = (option: OptionMoney): string =>
  `The machines cost ${money_text(option.all_in.total)} a month all in, of which ${money_text(option.all_in.staff)} is ` +
  `people: ${per_mtok(option.all_in.usd_per_mtok)} per million tokens processed.`;

function break_even_sentence(option: OptionMoney, spread: Spread): string {
  const q = spread.month;
  const back =
    option.break_even_month < NEVER
      ? `The money is back in ${month_text(option.break_even_month)}` +
        ((option.months[MONTHS_MAX]?.saved ?? 0) < 0 ? " and lost again by the end" : "")
      : "The money does not come back within the horizon";
  return `${back}; over the ranges p10 ${month_text(q.p10)}, p50 ${month_text(q.p50)}, p90 ${month_text(q.p90)}.`;
}

// How often each is the answer when the inputs move over their ranges.
function spread_sentence(spread: Record<OptionName, Spread>, best: OptionName, draws: number): string {
  const shares = OPTIONS.filter((name) => spread[name].share_best >= 0.005).map(
    (name) => `${name} in ${fixed(100 * spread[name].share_best, 0)} %`,
  );
  const text = `Over the ranges (${draws} draws) the answer is ${shares.join(", ")}.`;
  const stays = spread.stay.share_best > 0.5;
  return stays === (best === "stay") ? text : `${text} Take it as undecided: most draws say otherwise.`;
}

// What the scenario says of tokens is in the file's own cautions; that of list prices goes when a discount is set here.
function cautions_of(file: PlanFile, m: MoneyInputs): string[] {
  return file.verdict.cautions.filter((text) => m.negotiated_discount === 0 || !text.startsWith("List prices"));
}

export function decide({ file, inputs, money, focus, flips, spread }: Judged): Verdict {
  const out: Verdict = {
    word: money.best,
    refused: money.refused,
    headline: "",
    reasons: [],
    flips: flips.filter((flip) => flip.found).map(flip_text),
    cautions: cautions_of(file, inputs),
  };
  if (money.refused) {
    out.word = "no advice";
    out.headline =
      `No advice yet: ${fixed(100 * inputs.unexplained_share, 1)} % of the bill is not explained ` +
      `(limit ${fixed(100 * inputs.unexplained_limit, 1)} %).`;
    out.reasons = [
      file.reconciliation.summary,
      "Import the provider's cost report for the same days, or say --despite-gap to plan on the usage alone.",
    ];
    return out;
  }
  if (focus === "stay") {
    out.headline = `Stay on the API: ${file.no_machine || "no machine was found that carries this work"}.`;
    return out;
  }
  const option = money.options[focus];
  if (money.best === "stay") {
    out.headline = "Stay on the API.";
    out.reasons.push(why_stay(inputs, option));
  } else {
    out.headline =
      `${capital(TITLES[money.best])}: saves ${money_text(option.saved_npv_usd)} over ` +
      `${fixed(inputs.horizon_months, 0)} months.`;
    out.reasons.push(why_move(inputs, money));
  }
  out.reasons.push(machine_sentence(option), break_even_sentence(option, spread[focus]));
  out.reasons.push(spread_sentence(spread, money.best, file.sensitivity.draws));
  return out;
}

const SPEND_ENOUGH_USD = 500_000;
const SITE_ANSWERS = ["capital", "rack", "power", "cooling", "network", "space"];

// One "no" decides; else one unknown leaves it open.
function judge(question: Question, names: readonly string[], answers: Record<string, string>): Question {
  const missing: string[] = [];
  let state: Question["state"] = "yes";
  for (const name of names) {
    const answer = answers[name];
    if (answer === "yes") continue;
    missing.push(`${name}: ${answer === "no" ? "no" : "not answered"}`);
    if (answer === "no") state = "no";
    else if (state === "yes") state = "not known";
  }
  return { ...question, state, missing };
}

// Only three of the questions hang on the money: the machines' room, who runs them, and the spend.
function question_now(question: Question, file: PlanFile, m: MoneyInputs, focus: OptionMoney): Question {
  const answers = file.readiness.answers ?? {};
  const o = option_inputs(m, focus.option);
  if (question.key === "site" && focus.option !== "stay") {
    if (o.node_price_usd <= 0) {
      return {
        ...judge(question, ["network"], answers),
        evidence: "Rented machines stand in somebody else's room.",
      };
    }
    const first = focus.months[0]!;
    const power = fixed(first.nodes * o.node_kw_max, 1);
    return {
      ...judge(question, SITE_ANSWERS, answers),
      evidence:
        `${fixed(first.nodes, 0)} node(s): ${dollars_text(first.cash)} before the first request, ${power} kW at most, ` +
        `${power} kW of cooling.`,
    };
  }
  if (question.key === "engineers" && focus.option !== "stay") {
    const engineers = (focus.all_in.staff * 12) / Math.max(1, m.staff_usd_year);
    return { ...question, evidence: `The plan counts ${fixed(engineers, 2)} full-time engineer(s).` };
  }
  if (question.key === "spend") {
    const year = m.bill_list_usd_month * 12;
    const evidence =
      `${dollars_text(year)} a year at today's rate; about ${dollars_text(SPEND_ENOUGH_USD)} is where it begins to pay ` +
      `an engineer.`;
    if (year <= 0) return { ...question, evidence, state: "not known", missing: ["no usage was read"] };
    const enough = year >= SPEND_ENOUGH_USD;
    return { ...question, evidence, state: enough ? "yes" : "no", missing: enough ? [] : ["the spend is below that"] };
  }
  return question;
}

export function readiness_now(
  file: PlanFile,
  m: MoneyInputs,
  focus: OptionMoney,
): { questions: Question[]; summary: string } {
  const questions = file.readiness.questions.map((question) => question_now(question, file, m, focus));
  const lacking = questions.filter((question) => question.state !== "yes").map((question) => question.key);
  const there = questions.length - lacking.length;
  const summary =
    lacking.length === 0
      ? "All five are there."
      : `${there} of 5 are there; missing or not known: ${lacking.join(", ")}.`;
  return { questions, summary };
}

export const change_text = (share: number): string => `${signed(100 * share, 0)} %`;
