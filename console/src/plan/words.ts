// Numbers as words, the way the program's own sentences write them, and the labels that the charts use.
import { NEVER } from "./money";
import type { OptionName } from "./types";

// Fixed decimals; a value exactly between two goes to the even one, as in the program's sentences. Few are exactly there:
// n + 1/2 in units of the last decimal is a binary fraction only where 5^decimals divides 2n + 1.
export function fixed(x: number, decimals: number): string {
  const scale = 10 ** decimals;
  const scaled = Math.abs(x) * scale;
  const below = Math.floor(scaled);
  if (scaled - below === 0.5 && scaled < 2 ** 50 && (2 * below + 1) % 5 ** decimals === 0) {
    const even = (below % 2 === 0 ? below : below + 1) / scale;
    return (x < 0 ? -even : even).toFixed(decimals);
  }
  return x.toFixed(decimals);
}

export const signed = (x: number, decimals: number): string => (x < 0 ? "" : "+") + fixed(x, decimals);

// "$1.2M", "$48k", "$640"
export function money_text(usd: number): string {
  const sign = usd < 0 ? "-" : "";
  const size = Math.abs(usd);
  if (size >= 9_950_000) return `${sign}$${fixed(size / 1e6, 0)}M`;
  if (size >= 999_500) return `${sign}$${fixed(size / 1e6, 1)}M`;
  if (size >= 9_950) return `${sign}$${fixed(size / 1e3, 0)}k`;
  if (size >= 999.5) return `${sign}$${fixed(size / 1e3, 1)}k`;
  return `${sign}$${fixed(size, 0)}`;
}

// "$226,000": whole dollars with thousands marks.
export function dollars_text(usd: number): string {
  const digits = fixed(Math.abs(usd), 0).replace(/\B(?=(\d{3})+$)/g, ",");
  return (usd < 0 && digits !== "0" ? "-$" : "$") + digits;
}

// The same with a true minus sign, for labels and tables.
export const usd_text = (usd: number): string => money_text(usd).replace("-", "−");

export const month_text = (month: number): string => (month >= NEVER ? "never" : `month ${fixed(month, 0)}`);

export const TITLES: Record<OptionName, string> = {
  stay: "stay on the API",
  own: "own everything that may move",
  hybrid: "own the floor, spill the peak",
  rent: "rent GPUs for it",
};
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const plain = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 6 });

// Whole dollars for tables; the unit stands in the head. A zero is a dash of its own kind: nothing is paid.
export const dollars = (usd: number): string => whole.format(Math.abs(usd) < 0.5 ? 0 : usd).replace("-", "−");
export const exact = (usd: number): string => cents.format(usd);
export const count = (n: number): string => whole.format(n);

export const is_share = (unit: string): boolean => unit.startsWith("share");
export const is_money = (unit: string): boolean => unit.startsWith("USD");

// The number of an input as it is read and typed: shares as per cent.
export const shown = (value: number, unit: string): number =>
  is_share(unit) ? Number((value * 100).toPrecision(12)) : value;
export const typed = (shown_value: number, unit: string): number =>
  is_share(unit) ? Number((shown_value / 100).toPrecision(12)) : shown_value;
export const unit_text = (unit: string): string =>
  is_share(unit) ? unit.replace("share", "%") : unit === "factor" ? "×" : unit;

// A value with its unit, short enough for a chart's label.
export function value_text(value: number, unit: string): string {
  if (is_share(unit) && Math.abs(value) < 5e-5) return "0 %";
  if (is_share(unit)) return `${plain.format(shown(Number(value.toPrecision(3)), unit))} %`.replace("-", "−");
  if (unit === "factor") return `×${fixed(value, 2)}`;
  if (is_money(unit)) return Math.abs(value) >= 1000 ? usd_text(value) : `$${plain.format(Number(value.toPrecision(3)))}`;
  return plain.format(Number(value.toPrecision(3)));
}
