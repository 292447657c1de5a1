// Tornado, turning points and sampling: the money model run again with other inputs, in the order of
// src/planner/sensitivity.cc, so that the same seed gives the same draws.
import { compute_money, copy_of, get_input, NEVER, option_inputs, set_input, type Money, type MoneyInputs } from "./money";
import { OPTIONS, type Input, type OptionName } from "./types";
import { fixed, money_text, signed } from "./words";

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
  for (const input of inputs) {
    if (!(input.low < input.high)) continue;
    set_input(changed, input, input.low);
    const low = compute_money(changed, false);
    set_input(changed, input, input.high);
    const high = compute_money(changed, false);
    set_input(changed, input, input.value);
    bars.push({
      input: input.name,
      label: input.label,
      unit: input.unit,
      low: input.low,
      high: input.high,
      saved_at_low: low.options[focus].saved_npv_usd,
      saved_at_high: high.options[focus].saved_npv_usd,
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

interface Search {
  to: number;
  now: OptionName;
  stay_only: boolean;
}

// The first value from today's towards `to` with another answer; steps, then halving.
function turn_towards(m: MoneyInputs, input: Input, { to, now, stay_only }: Search): Turn | null {
  const from = get_input(m, input);
  const changed = copy_of(m);
  const answer_at = (value: number): OptionName => {
    set_input(changed, input, value);
    return compute_money(changed, false).best;
  };
  let near = from;
  for (let step = 1; step <= STEPS; ++step) {
    let far = from + ((to - from) * step) / STEPS;
    let answer = answer_at(far);
    if (!differs(answer, now, stay_only)) {
      near = far;
      continue;
    }
    for (let i = 0; i < HALVINGS; ++i) {
      const middle = (near + far) / 2;
      const found = answer_at(middle);
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

// A factor in the units of the machine it acts on.
export function reading_of(m: MoneyInputs, input: string, value: number, to: OptionName, focus: OptionName): string {
  const o = option_inputs(m, to === "stay" ? focus : to);
  const owned = o.node_price_usd > 0 ? o : m.hybrid.node_price_usd > 0 ? m.hybrid : m.own;
  switch (input) {
    case "hardware_price_factor":
      return `$${fixed(owned.node_price_usd * value, 0)} per node`;
    case "rent_price_factor":
      return `$${fixed(m.rent.rent_usd_gpu_hour * value, 2)} per GPU-hour`;
    case "utilisation_factor":
      return `${fixed(100 * Math.min(1, o.utilisation * value), 0)} % mean utilisation`;
    case "api_price_factor":
      return `API prices ${signed(100 * (value - 1), 0)} %`;
    case "capacity_factor":
      return `machines that carry ${fixed(value, 2)} times the estimate`;
    default:
      return "";
  }
}

// Between staying and moving first: that is the question. Between two ways to move only where no value decides it.
export function flips_of(inputs: readonly Input[], m: MoneyInputs, money: Money, focus: OptionName): Flip[] {
  const flips: Flip[] = [];
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
    for (const stay_only of [true, false]) {
      const down = turn_towards(m, input, { to: flip.searched_low, now: money.best, stay_only });
      const up = turn_towards(m, input, { to: flip.searched_high, now: money.best, stay_only });
      const nearer = !down || (up && Math.abs(up.value - now) < Math.abs(down.value - now)) ? up : down;
      if (!nearer) continue;
      flip.found = true;
      flip.value = nearer.value;
      flip.to = nearer.to;
      flip.reading = reading_of(m, name, flip.value, flip.to, focus);
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
  const to = ` -> ${flip.to}`;
  if (flip.reading) return flip.reading + to;
  const value = flip.unit.startsWith("share")
    ? `${fixed(100 * flip.value, 0)} %`
    : flip.value >= 1000
      ? money_text(flip.value)
      : fixed(flip.value, 2);
  return `${flip.label}: ${value}${to}`;
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

export function sample(
  inputs: readonly Input[],
  m: MoneyInputs,
  seed: number,
  draws: number,
): Record<OptionName, Spread> {
  const varied = inputs.filter((input) => input.low < input.high);
  const saved = OPTIONS.map(() => new Float64Array(draws));
  const month = OPTIONS.map(() => new Float64Array(draws));
  const best: Record<OptionName, number> = { stay: 0, own: 0, hybrid: 0, rent: 0 };
  const drawn = copy_of(m);
  for (let draw = 0; draw < draws; ++draw) {
    varied.forEach((input, i) => {
      set_input(drawn, input, triangular(input.low, input.value, input.high, uniform_of(seed, draw, i)));
    });
    const money = compute_money(drawn, false);
    best[money.best] += 1;
    OPTIONS.forEach((name, i) => {
      saved[i]![draw] = money.options[name].saved_npv_usd;
      month[i]![draw] = money.options[name].break_even_month;
    });
  }
  const spread = (i: number): Spread => ({
    share_break_even: month[i]!.reduce((n, at) => n + (at < NEVER ? 1 : 0), 0) / draws,
    share_best: best[OPTIONS[i]!] / draws,
    saved: quantiles_of(saved[i]!),
    month: quantiles_of(month[i]!),
  });
  return { stay: spread(0), own: spread(1), hybrid: spread(2), rent: spread(3) };
}
