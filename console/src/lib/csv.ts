// The loaded requests as a CSV file: the columns of the table and the ids behind them. Times are ISO 8601 in UTC, money is
// in US dollars.
import type { Row } from "./types";

type Cell = string | number | null | undefined;

// A spreadsheet takes text that begins with one of these for a formula; a tag comes from a client.
function quoted(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const iso = (ms: number | null | undefined): string => (ms == null ? "" : new Date(ms).toISOString());
const seconds = (us: number | null | undefined): Cell => (us == null ? null : us / 1e6);

export function csv_of(rows: Row[]): string {
  const compared = [...new Set(rows.flatMap((row) => row.api_costs?.map((cost) => cost.model) ?? []))];
  const columns: [string, (row: Row) => Cell][] = [
    ["request_id", (r) => r.request_id],
    ["received", (r) => iso(r.received_ms)],
    ["ended", (r) => iso(r.ended_ms)],
    ["state", (r) => r.state],
    ["end_reason", (r) => r.end_reason],
    ["error_code", (r) => r.error_code],
    ["model", (r) => r.model_served],
    ["model_requested", (r) => r.model_requested],
    ["api", (r) => r.dialect],
    ["key_id", (r) => r.key_id],
    ["key_name", (r) => r.key_name],
    ["project", (r) => r.project],
    ["workload", (r) => r.workload],
    ["input_uncached", (r) => r.usage?.input_uncached],
    ["cache_read", (r) => r.usage?.cache_read],
    ["cache_write", (r) => r.usage?.cache_write],
    ["output", (r) => r.usage?.output],
    ["first_token_s", (r) => seconds(r.ttft_us)],
    ["tokens_per_second", (r) => r.tokens_per_second],
    ["duration_s", (r) => seconds(r.duration_us)],
    ...compared.map((model): [string, (row: Row) => Cell] => [
      `same tokens at ${model}, USD`,
      (r) => {
        const cost = r.api_costs?.find((each) => each.model === model)?.micro_usd;
        return cost == null ? null : (cost / 1e6).toFixed(6);
      },
    ]),
  ];
  const lines = [columns.map(([name]) => quoted(name)), ...rows.map((row) => columns.map(([, of]) => quoted(of(row))))];
  return lines.map((cells) => `${cells.join(",")}\r\n`).join("");
}
