// Usage by day or week as a row of bars: every day between the first and the last has one, also when nothing was used.
import { day_name, utc_day } from "./format";
import type { UsageRow } from "./types";

export interface Bar {
  group: string; // "2026-11-29" or "2026-W48"
  label: string;
  from: string; // the days it covers, for the drill-down
  to: string;
  fresh: number; // input that was computed
  cached: number;
  out: number;
  row: UsageRow | null;
}

export const BARS_MAX = 92;
const BARS_MIN = 14; // fewer say nothing of how a day compares
const DAY_MS = 86_400_000;

// The Monday of an ISO week, "2026-W48".
function monday_of(week: string): number {
  const [year, number] = week.split("-W").map(Number);
  const fourth = Date.UTC(year ?? 1970, 0, 4);
  const first = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY_MS;
  return first + ((number ?? 1) - 1) * 7 * DAY_MS;
}

function bar(group: string, start_ms: number, days: number, row: UsageRow | null): Bar {
  const from = utc_day(start_ms);
  return {
    group,
    label: days === 1 ? day_name(from) : `week of ${day_name(from)}`,
    from,
    to: utc_day(start_ms, days),
    fresh: row ? row.usage.input_uncached + row.usage.cache_write : 0,
    cached: row?.usage.cache_read ?? 0,
    out: row?.usage.output ?? 0,
    row,
  };
}

// The last BARS_MAX of them, oldest first. `from`: the first day that was asked for, if any.
export function bars_of(rows: UsageRow[], by: "day" | "week", from = ""): Bar[] {
  const days = by === "day" ? 1 : 7;
  const starts = new Map<number, UsageRow>();
  for (const row of rows) {
    const start = by === "day" ? Date.parse(`${row.group ?? ""}T00:00:00Z`) : monday_of(row.group ?? "");
    if (Number.isFinite(start)) starts.set(start, row);
  }
  if (starts.size === 0) return [];
  const last = Math.max(...starts.keys());
  const back = (bars: number): number => last - (bars - 1) * days * DAY_MS;
  const asked = Date.parse(`${from}T00:00:00Z`);
  const begin = by === "day" && Number.isFinite(asked) ? Math.min(asked, last) : Math.min(...starts.keys(), back(BARS_MIN));
  const out: Bar[] = [];
  for (let at = Math.max(begin, back(BARS_MAX)); at <= last; at += days * DAY_MS) {
    const row = starts.get(at) ?? null;
    out.push(bar(row?.group ?? utc_day(at), at, days, row));
  }
  return out;
}
