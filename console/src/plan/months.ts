// The months of one way as a table: what the API asks for, what the machines cost, what has been paid so far, and the cost
// in the income statement. Month 0 is the day of the order.
import type { MonthRow, OptionMoney } from "./money";

export interface Column {
  key: string;
  label: string;
  of: (row: MonthRow, stay: MonthRow) => number;
  summed: boolean; // whether a total over the months means anything
}

const API: Column = { key: "api", label: "API bill", of: (row) => row.api_cash, summed: true };
const SEATS: Column = { key: "seats", label: "Seats and plans", of: (row) => row.seats, summed: true };
const CASH: Column = { key: "cash", label: "Cash out", of: (row) => row.cash, summed: true };
const SO_FAR: Column = { key: "cum_cash", label: "Cash out so far", of: (row) => row.cum_cash, summed: false };
const PNL: Column = { key: "pnl", label: "Cost in the income statement", of: (row) => row.pnl, summed: true };

// Of staying there are no machines to tell of, and nothing to hold it against.
const STAY: readonly Column[] = [API, SEATS, CASH, SO_FAR, PNL];
const MOVE: readonly Column[] = [
  { ...API, label: "API bill left" },
  SEATS,
  { key: "bought", label: "Machines, installation, migration", of: (row) => row.capex_hardware + row.capex_other + row.one_off, summed: true },
  { key: "running", label: "Running the machines", of: (row) => row.running, summed: true },
  CASH,
  SO_FAR,
  { key: "stay", label: "Staying: cash out so far", of: (_, stay) => stay.cum_cash, summed: false },
  { key: "saved", label: "Saved so far", of: (row) => row.saved, summed: false },
  PNL,
];

export interface Months {
  columns: readonly Column[];
  rows: { month: number; usd: number[] }[];
  totals: (number | null)[];
}

export function months_of(option: OptionMoney, stay: OptionMoney, horizon: number): Months {
  const all = option.option === "stay" ? STAY : MOVE;
  const shown = option.months.filter((row) => row.month <= horizon);
  const paid = (column: Column): boolean => column.key !== "seats" || shown.some((row) => row.seats > 0);
  const columns = all.filter(paid);
  const rows = shown.map((row) => ({
    month: row.month,
    usd: columns.map((column) => column.of(row, stay.months[row.month]!)),
  }));
  const totals = columns.map((column, i) => (column.summed ? rows.reduce((sum, row) => sum + row.usd[i]!, 0) : null));
  return { columns, rows, totals };
}
