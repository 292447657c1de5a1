// The months of an option as years, for the table of total cost of ownership. Year 0 is the day of the order.
import type { MonthRow, OptionMoney } from "./money";

export interface Line {
  key: string;
  label: string;
  kind: "part" | "sum" | "memo";
  years: number[];
  total: number | null; // null: a sum over the years means nothing
}

type Pick = (row: MonthRow) => number;
const PARTS: [string, string, Pick][] = [
  ["api", "API usage, after discount and credits", (row) => row.api_cash],
  ["seats", "Seats and plans", (row) => row.seats],
  ["hardware", "Machines", (row) => row.capex_hardware],
  ["other", "Network, rack, installation, spares", (row) => row.capex_other],
  ["one_off", "Evaluation and migration, once", (row) => row.one_off],
  ["power", "Electricity", (row) => row.power],
  ["site", "Space and cooling", (row) => row.site],
  ["network", "Uplink", (row) => row.network],
  ["support", "Vendor support", (row) => row.support],
  ["software", "Licences", (row) => row.software],
  ["staff", "People", (row) => row.staff],
  ["rent", "Rented GPUs", (row) => row.rent],
  ["outage", "Lost service while a machine is out (assumed failures)", (row) => row.outage],
];

export function years_of(option: OptionMoney, horizon: number): { heads: string[]; lines: Line[] } {
  const last = Math.ceil(horizon / 12);
  const year_of = (row: MonthRow): number => Math.ceil(row.month / 12);
  const rows = option.months.filter((row) => row.month <= horizon);
  const by_year = (pick: Pick): number[] => {
    const years = new Array<number>(last + 1).fill(0);
    for (const row of rows) years[year_of(row)]! += pick(row);
    return years;
  };
  const sum = (years: number[]): number => years.reduce((a, b) => a + b, 0);
  const line = (key: string, label: string, kind: Line["kind"], years: number[], summed = true): Line => ({
    key,
    label,
    kind,
    years,
    total: summed ? sum(years) : null,
  });
  const lines = PARTS.map(([key, label, pick]) => line(key, label, "part", by_year(pick))).filter((each) =>
    each.years.some((usd) => Math.abs(usd) >= 0.005),
  );
  const cash = by_year((row) => row.cash);
  lines.push(line("cash", "Cash out", "sum", cash));
  if (rows.some((row) => row.resale > 0)) {
    lines.push(line("resale", "Worth of the machines at the end", "part", by_year((row) => -row.resale)));
    lines.push(line("net", "Cash out, less that worth", "sum", by_year((row) => row.cash - row.resale)));
  }
  const running: number[] = [];
  for (const usd of cash) running.push((running.at(-1) ?? 0) + usd);
  lines.push(line("cumulative", "Cash out since the order", "memo", running, false));
  if (rows.some((row) => row.api_failover >= 0.005)) {
    lines.push(line("failover", "In the API usage: while a machine is out (assumed failures)", "memo", by_year((row) => row.api_failover)));
  }
  lines.push(line("depreciation", "Depreciation, straight line", "memo", by_year((row) => row.depreciation)));
  lines.push(line("pnl", "Cost in the income statement", "memo", by_year((row) => row.pnl)));
  lines.push(line("present", "Present value of the cash", "memo", by_year((row) => row.present)));
  const heads = Array.from({ length: last + 1 }, (_, year) => (year === 0 ? "Order" : `Year ${year}`));
  if (horizon % 12 !== 0) heads[last] = `Year ${last} (${horizon % 12} months)`;
  return { heads, lines };
}
