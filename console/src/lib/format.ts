// Numbers, times and money as the console writes them. Units stand in the column heads, so cells hold bare figures.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const NONE = "–";

// "1 request", "2 requests"
export const plural = (n: number, noun: string): string => `${whole.format(n)} ${noun}${n === 1 ? "" : "s"}`;

export const count = (n: number | null | undefined): string => (n == null ? NONE : whole.format(n));
export const compact = (n: number | null | undefined): string => (n == null ? NONE : short.format(n));

// Seconds with as many decimals as say something.
export function seconds(us: number | null | undefined): string {
  if (us == null) return NONE;
  const s = us / 1e6;
  if (s < 10) return s.toFixed(2);
  if (s < 100) return s.toFixed(1);
  return whole.format(s);
}

// A duration with its unit, for prose and the timeline.
export function span(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms`;
  if (us < 6e7) return `${(us / 1e6).toFixed(2)} s`;
  return `${Math.floor(us / 6e7)} min ${Math.round((us % 6e7) / 1e6)} s`;
}

export function rate(per_second: number | null | undefined): string {
  if (per_second == null) return NONE;
  return per_second < 100 ? per_second.toFixed(1) : whole.format(per_second);
}

// Small amounts need their digits: most requests cost less than a cent.
export function usd(micro: number | null | undefined): string {
  if (micro == null) return NONE;
  const dollars = micro / 1e6;
  if (micro === 0) return "0.00";
  if (Math.abs(dollars) >= 1) return dollars.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return dollars.toFixed(6);
}

// For a column: as many decimals as its largest amount leaves room for, so that the points stand below each other.
export function usd_column(amounts: (number | null)[]): (micro: number | null) => string {
  const largest = Math.max(0, ...amounts.map((micro) => Math.abs(micro ?? 0))) / 1e6;
  const digits = largest >= 100 ? 2 : largest >= 1 ? 4 : 6;
  const form = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (micro) => (micro == null ? NONE : form.format(micro / 1e6));
}

export function percent(part: number, whole_of: number): string {
  if (whole_of <= 0) return NONE;
  const share = (100 * part) / whole_of;
  if (share > 0 && share < 1) return "< 1 %";
  if (share > 99 && share < 100) return "> 99 %";
  return `${Math.round(share)} %`;
}

const DAY_MS = 86_400_000;
// Days of the ledger begin at 00:00 UTC: "2026-11-29", by days before or after.
export const utc_day = (ms: number, by = 0): string => new Date(ms + by * DAY_MS).toISOString().slice(0, 10);
// "29 Nov"
const short_day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
export const day_name = (iso: string): string => short_day.format(new Date(`${iso}T00:00:00Z`));

export function bytes(n: number | null | undefined): string {
  if (n == null) return NONE;
  if (n >= 2 ** 30) return `${(n / 2 ** 30).toFixed(2)} GiB`;
  if (n >= 2 ** 20) return `${(n / 2 ** 20).toFixed(0)} MiB`;
  return `${Math.round(n / 1024)} KiB`;
}

const two = (n: number): string => String(n).padStart(2, "0");

export function clock(ms: number, with_millis = false): string {
  const d = new Date(ms);
  const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return with_millis ? `${time}.${String(d.getMilliseconds()).padStart(3, "0")}` : time;
}

export function day(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

// The time alone if it is today's, else the date too.
export function moment(ms: number | null | undefined, now = Date.now()): string {
  if (ms == null) return NONE;
  return day(ms) === day(now) ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

export function ago(ms: number, now = Date.now()): string {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// "anthropic/claude-opus-5-5" is shown without its vendor: the name says it.
export const model_name = (id: string): string => id.slice(id.indexOf("/") + 1);

export function median(values: number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 ? high : (high + (sorted[middle - 1] ?? 0)) / 2;
}

const DIALECTS: Record<string, string> = { anthropic: "Anthropic", openai: "OpenAI", openai_chat: "OpenAI" };
export const dialect_name = (name: string): string => DIALECTS[name] ?? name;
