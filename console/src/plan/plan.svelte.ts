// What the page holds: a plan file and the inputs that somebody changed in it. Everything else follows from the two.
import { answer_of, changed_table, check, type Answer, type Changes } from "./compute";
import type { Input, OptionName, PlanFile } from "./types";

export class PlanState {
  changes = $state.raw<Changes>({});
  // The way that the tables of years and months speak of; null: the one that matters.
  wanted = $state<OptionName | null>(null);
  private last: Answer | null = null;

  readonly table = $derived.by(() => changed_table(this.file, this.changes));
  readonly problems = $derived(check(this.table));
  // While the inputs contradict each other the last answer stands.
  readonly answer = $derived.by((): Answer => {
    if (this.problems.length === 0) this.last = answer_of(this.file, this.table);
    return (this.last ??= answer_of(this.file, this.file.inputs));
  });
  readonly way = $derived.by((): OptionName => {
    const wanted = this.wanted;
    return wanted && this.answer.money.options[wanted].available ? wanted : this.answer.focus;
  });
  readonly changed = $derived(this.table.filter((input) => input.name in this.changes));

  constructor(
    readonly file: PlanFile,
    start: Changes,
    private readonly remember: (changes: Changes) => void,
  ) {
    this.changes = this.known(start);
  }

  input(name: string): Input | undefined {
    return this.table.find((input) => input.name === name);
  }
  written(name: string): number | undefined {
    return this.file.inputs.find((input) => input.name === name)?.value;
  }

  set(values: Changes): void {
    this.changes = this.known({ ...this.changes, ...values });
    this.remember(this.changes);
  }
  reset(names?: readonly string[]): void {
    this.changes = names ? Object.fromEntries(Object.entries(this.changes).filter(([name]) => !names.includes(name))) : {};
    this.remember(this.changes);
  }

  // Only inputs of this file, and only what differs from it.
  private known(values: Changes): Changes {
    const out: Record<string, number> = {};
    for (const input of this.file.inputs) {
      const value = values[input.name];
      if (value !== undefined && Number.isFinite(value) && value !== input.value) out[input.name] = value;
    }
    return out;
  }
}

// Changes as they stand in an address: "wacc=0.1&horizon_months=36".
export function changes_from(text: string): Changes {
  const out: Record<string, number> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (value.trim() !== "") out[name] = Number(value);
  }
  return out;
}
export function changes_to(changes: Changes): string {
  return new URLSearchParams(Object.entries(changes).map(([name, value]) => [name, String(value)])).toString();
}
