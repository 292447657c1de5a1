// Tornado, turning points and sampling: the money model run again with other inputs, in the order of
// src/planner/sensitivity.cc, so that the same seed gives the same draws.
import { copy_of, get_input, NEVER, option_inputs, set_input, type Money, type MoneyInputs, type OptionInputs } from "./money";
import { fill_powers, OwnPowers, POWERS, sum_up, Sums, type Powers } from "./sums";
import { OPTIONS, type Input, type OptionName } from "./types";
import { dollars_text, fixed, signed } from "./words";

export interface Bar {
  input: string;
  label: string;
  unit: string;
  low: number;
  high: number;
  saved_at_low: number;
  saved_at_high: number;
  best_at_low: OptionName;
  best_at_high: OptionName;
}

export interface Flip {
  input: string;
  label: string;
  unit: string;
  now: number;
  found: boolean;
  value: number;
  to: OptionName;
  searched_low: number;
  searched_high: number;
  reading: string;
}

export interface Quantiles {
  p10: number;
  p50: number;
  p90: number;
}
export interface Spread {
  saved: Quantiles;
  month: Quantiles;
  share_break_even: number;
  share_best: number;
}

// How far each lever is looked for.
const LEVERS: readonly [string, number, number][] = [
  ["utilisation_factor", 0.1, 10],
  ["api_price_factor", 0.1, 10],
  ["api_price_change_per_year", -0.9, 0.5],
  ["hardware_price_factor", 0.05, 4],
  ["rent_price_factor", 0.05, 4],
  ["capacity_factor", 0.1, 10],
  ["staff_usd_year", 0, 600_000],
  ["fte_first_nodes", 0, 5],
  ["load_growth_per_year", -0.5, 3],
  ["negotiated_discount", 0, 0.9],
  ["residual_share", 0, 1],
  ["electricity_usd_kwh", 0, 1],
];
const STEPS = 60; // looked at on each side
const HALVINGS = 40;

// Written and read at once; one of each serves everybody here.
const sums = new Sums();
const own_powers = new OwnPowers();

// The answer, or the best of the others when the answer is to stay; "stay" when there are no others.
export function focus_of(money: Money): OptionName {
  if (money.best !== "stay") return money.best;
  let focus: OptionName = "stay";
  for (const name of OPTIONS) {
    const option = money.options[name];
    if (name === "stay" || !option.available) continue;
    if (focus === "stay" || option.saved_npv_usd > money.options[focus].saved_npv_usd) focus = name;
  }
  return focus;
}

export function tornado_of(inputs: readonly Input[], m: MoneyInputs, focus: OptionName): Bar[] {
  const bars: Bar[] = [];
  const changed = copy_of(m);
  const at = OPTIONS.indexOf(focus);
  const end_of = (input: Input, value: number): { saved: number; best: OptionName } => {
    set_input(changed, input, value);
    sum_up(changed, own_powers.follow(changed), sums);
    return { saved: sums.saved[at]!, best: OPTIONS[sums.best]! };
  };
  for (const input of inputs) {
    if (!(input.low < input.high)) continue;
    const low = end_of(input, input.low);
    const high = end_of(input, input.high);
    set_input(changed, input, input.value);
    bars.push({
      input: input.name,
      label: input.label,
      unit: input.unit,
      low: input.low,
      high: input.high,
      saved_at_low: low.saved,
      saved_at_high: high.saved,
      best_at_low: low.best,
      best_at_high: high.best,
    });
  }
  return bars.toSorted((a, b) => swing(b) - swing(a));
}
export const swing = (bar: Bar): number => Math.abs(bar.saved_at_high - bar.saved_at_low);

interface Turn {
  value: number;
  to: OptionName;
}

// Another answer than `now`; or, across `stay_only`, one on the other side of staying.
const differs = (answer: OptionName, now: OptionName, stay_only: boolean): boolean =>
  stay_only ? (answer === "stay") !== (now === "stay") : answer !== now;

// The answers on the way from today's value of a lever to `to`, each computed when it is first asked for.
class Way {
  private readonly known = new Int8Array(STEPS + 1).fill(-1);
  readonly from: number;

  constructor(
    private readonly m: MoneyInputs, // a copy that may be changed
    private readonly input: Input,
    private readonly to: number,
  ) {
    this.from = get_input(m, input);
  }

  value_at(step: number): number {
    return this.from + ((this.to - this.from) * step) / STEPS;
  }
  answer(value: number): OptionName {
    set_input(this.m, this.input, value);
    sum_up(this.m, own_powers.follow(this.m), sums);
    set_input(this.m, this.input, this.from);
    return OPTIONS[sums.best]!;
  }
  answer_at(step: number): OptionName {
    if (this.known[step] === -1) this.known[step] = OPTIONS.indexOf(this.answer(this.value_at(step)));
    return OPTIONS[this.known[step]!]!;
  }
}

// The first value on the way with another answer; steps, then halving. What lies further off than `within` is not nearer
// than what was found on the other side.
function turn_on(way: Way, now: OptionName, stay_only: boolean, within: number): Turn | null {
  let near = way.from;
  for (let step = 1; step <= STEPS && Math.abs(near - way.from) < within; ++step) {
    let far = way.value_at(step);
    let answer = way.answer_at(step);
    if (!differs(answer, now, stay_only)) {
      near = far;
      continue;
    }
    for (let i = 0; i < HALVINGS; ++i) {
      const middle = (near + far) / 2;
      const found = way.answer(middle);
      if (differs(found, now, stay_only)) {
        far = middle;
        answer = found;
      } else {
        near = middle;
      }
    }
    return { value: far, to: answer };
  }
  return null;
}

// Whose machines a reading speaks of: those of the answer that follows, else of the one that is left, else of any that
// are owned, because only these have a price.
function owned_in(m: MoneyInputs, to: OptionName, focus: OptionName): OptionInputs | undefined {
  return [to, focus, "hybrid" as const, "own" as const]
    .map((name) => option_inputs(m, name))
    .find((o) => o.nodes_min > 0 && o.node_price_usd > 0);
}

// A lever's value in words: factors in the units of the machine they act on.
function reading_of(m: MoneyInputs, { input, value, now, to }: Flip, focus: OptionName): string {
  const o = option_inputs(m, to === "stay" ? focus : to);
  const share = (x: number): string => `${fixed(100 * x, 0)} %`;
  const change = (x: number): string => `${signed(100 * x, 0)} %`;
  const busy = (factor: number): string => share(Math.min(1, o.utilisation * factor));
  switch (input) {
    case "hardware_price_factor": {
      const usd = owned_in(m, to, focus)?.node_price_usd ?? 0;
      return `a machine at ${dollars_text(usd * value)}, now ${dollars_text(usd * now)}`;
    }
    case "rent_price_factor": {
      const usd = m.rent.rent_usd_gpu_hour;
      return `a rented GPU at $${fixed(usd * value, 2)} an hour, now $${fixed(usd * now, 2)}`;
    }
    case "utilisation_factor":
      return `machines ${busy(value)} busy on average when full at the peak, now ${busy(now)}`;
    case "api_price_factor":
      return `API prices ${change(value - 1)}`;
    case "capacity_factor":
      return `machines that carry ${fixed(value, 2)} times the estimate`;
    case "api_price_change_per_year":
      return `API prices ${change(value)} a year, now ${change(now)}`;
    case "load_growth_per_year":
      return `the load ${change(value)} a year, now ${change(now)}`;
    case "staff_usd_year":
      return `an engineer at ${dollars_text(value)} a year, now ${dollars_text(now)}`;
    case "fte_first_nodes":
      return `${fixed(value, 2)} engineers for the first machines, now ${fixed(now, 2)}`;
    case "negotiated_discount":
      return `a discount of ${share(value)}, now ${share(now)}`;
    case "residual_share":
      return `machines worth ${share(value)} at the end, now ${share(now)}`;
    default:
      return `electricity at $${fixed(value, 3)} a kWh, now $${fixed(now, 3)}`;
  }
}

// Between staying and moving first: that is the question. Between two ways to move only where no value decides it.
export function flips_of(inputs: readonly Input[], m: MoneyInputs, money: Money, focus: OptionName): Flip[] {
  const flips: Flip[] = [];
  const changed = copy_of(m);
  for (const [name, low, high] of LEVERS) {
    const input = inputs.find((each) => each.name === name);
    if (!input) continue;
    const now = get_input(m, input);
    const flip: Flip = {
      input: name,
      label: input.label,
      unit: input.unit,
      now,
      found: false,
      value: 0,
      to: money.best,
      searched_low: Math.min(low, now),
      searched_high: Math.max(high, now),
      reading: "",
    };
    const lower = new Way(changed, input, flip.searched_low);
    const higher = new Way(changed, input, flip.searched_high);
    for (const stay_only of [true, false]) {
      const down = turn_on(lower, money.best, stay_only, Infinity);
      const up = turn_on(higher, money.best, stay_only, down ? Math.abs(down.value - now) : Infinity);
      const nearer = !down || (up && Math.abs(up.value - now) < Math.abs(down.value - now)) ? up : down;
      if (!nearer) continue;
      flip.found = true;
      flip.value = nearer.value;
      flip.to = nearer.to;
      flip.reading = reading_of(m, flip, focus);
      break;
    }
    flips.push(flip);
  }
  // Those that end staying, or begin it, before those between two ways to move.
  const decides = (flip: Flip): boolean => flip.found && differs(flip.to, money.best, true);
  return [...flips.filter(decides), ...flips.filter((flip) => !decides(flip))];
}

// "API prices +62 % -> hybrid", as the program says it.
export function flip_text(flip: Flip): string {
  if (!flip.found) return `${flip.label}: no value from ${flip.searched_low} to ${flip.searched_high} changes it`;
  return `${flip.reading} -> ${flip.to}`;
}

function mix32(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  x ^= x >>> 16;
  return x >>> 0;
}

export function uniform_of(seed: number, draw: number, input: number): number {
  const counter = 64 * draw + input + 1;
  return (mix32(((seed >>> 0) + Math.imul(0x9e3779b9, counter)) | 0) + 0.5) / 4294967296;
}

export function triangular(low: number, mode: number, high: number, u: number): number {
  if (!(low < high)) return mode;
  const turn = (mode - low) / (high - low);
  if (u < turn) return low + Math.sqrt(u * (high - low) * (mode - low));
  return high - Math.sqrt((1 - u) * (high - low) * (high - mode));
}

function quantiles_of(values: Float64Array): Quantiles {
  values.sort();
  const at = (share: number): number => values[Math.trunc(share * (values.length - 1) + 0.5)] ?? 0;
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}

// The draws of one input, and of a rate also its powers by month: they hang on nothing but its own range, so a slider
// moved makes one column new and leaves the others.
class Column {
  readonly values: Float64Array;
  private powers: Float64Array | null = null;
  private filled = -1; // months of each row

  constructor(
    readonly seed: number,
    readonly number: number, // among the inputs that have a range
    readonly low: number,
    readonly mode: number,
    readonly high: number,
    draws: number,
  ) {
    this.values = new Float64Array(draws);
    for (let draw = 0; draw < draws; ++draw) {
      this.values[draw] = triangular(low, mode, high, uniform_of(seed, draw, number));
    }
  }
  fits(seed: number, input: Input, draws: number): boolean {
    return (
      this.seed === seed && this.low === input.low && this.mode === input.value && this.high === input.high &&
      this.values.length === draws
    ); // prettier-ignore
  }
  powers_to(last: number, discount: boolean): Float64Array {
    this.powers ??= new Float64Array(this.values.length * POWERS);
    if (last > this.filled) {
      this.values.forEach((rate, draw) => fill_powers(rate, discount, last, this.powers!, draw * POWERS));
      this.filled = last;
    }
    return this.powers;
  }
}
const columns: Column[] = []; // of the last sampling, by number

function columns_of(varied: readonly Input[], seed: number, draws: number): Column[] {
  return varied.map((input, i) => {
    const kept = columns[i];
    if (kept?.fits(seed, input, draws)) return kept;
    return (columns[i] = new Column(seed, i, input.low, input.value, input.high, draws));
  });
}

// Powers for every draw: those of a rate that is drawn have a row for each.
class DrawnPowers implements Powers {
  load: Float64Array;
  price: Float64Array;
  discount: Float64Array;
  load_at = 0;
  price_at = 0;
  discount_at = 0;
  private readonly load_row: number;
  private readonly price_row: number;
  private readonly discount_row: number;

  constructor(m: MoneyInputs, varied: readonly Input[], drawn: readonly Column[]) {
    const of = (name: string): Column | undefined => drawn[varied.findIndex((input) => input.name === name)];
    const table = (column: Column | undefined, rate: number, discount: boolean): Float64Array => {
      if (column) return column.powers_to(m.horizon_months, discount);
      const own = new Float64Array(POWERS);
      fill_powers(rate, discount, m.horizon_months, own, 0);
      return own;
    };
    const [growth, change, wacc] = [of("load_growth_per_year"), of("api_price_change_per_year"), of("wacc")];
    this.load = table(growth, m.load_growth_per_year, false);
    this.price = table(change, m.api_price_change_per_year, false);
    this.discount = table(wacc, m.wacc, true);
    this.load_row = growth ? POWERS : 0;
    this.price_row = change ? POWERS : 0;
    this.discount_row = wacc ? POWERS : 0;
  }
  at(draw: number): this {
    this.load_at = draw * this.load_row;
    this.price_at = draw * this.price_row;
    this.discount_at = draw * this.discount_row;
    return this;
  }
}

export function sample(
  inputs: readonly Input[],
  m: MoneyInputs,
  seed: number,
  draws: number,
): Record<OptionName, Spread> {
  const varied = inputs.filter((input) => input.low < input.high);
  const drawn = columns_of(varied, seed, draws);
  const powers = new DrawnPowers(m, varied, drawn);
  const saved = OPTIONS.map(() => new Float64Array(draws));
  const month = OPTIONS.map(() => new Float64Array(draws));
  const best = new Float64Array(OPTIONS.length);
  const changed = copy_of(m);
  for (let draw = 0; draw < draws; ++draw) {
    for (let i = 0; i < varied.length; ++i) set_input(changed, varied[i]!, drawn[i]!.values[draw]!);
    sum_up(changed, powers.at(draw), sums);
    best[sums.best]! += 1;
    for (let i = 0; i < OPTIONS.length; ++i) {
      saved[i]![draw] = sums.saved[i]!;
      month[i]![draw] = sums.month[i]!;
    }
  }
  const spread = (i: number): Spread => ({
    share_break_even: month[i]!.reduce((n, at) => n + (at < NEVER ? 1 : 0), 0) / draws,
    share_best: best[i]! / draws,
    saved: quantiles_of(saved[i]!),
    month: quantiles_of(month[i]!),
  });
  return { stay: spread(0), own: spread(1), hybrid: spread(2), rent: spread(3) };
}
