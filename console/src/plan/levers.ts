// The inputs that get a slider: those that decide, and those that a finance department knows better than any default.
import type { PlanState } from "./plan.svelte";
import type { Input } from "./types";

export interface Lever {
  name: string; // an input, or "hybrid_share"
  label: string;
  low: number;
  high: number;
  step: number;
}
export interface Group {
  title: string;
  levers: Lever[];
}

const l = (name: string, label: string, low: number, high: number, step: number): Lever => ({
  name,
  label,
  low,
  high,
  step,
});

export const GROUPS: readonly Group[] = [
  {
    title: "API and demand",
    levers: [
      l("api_price_change_per_year", "API prices, change a year", -0.9, 0.5, 0.01),
      l("load_growth_per_year", "Growth of the load", -0.5, 2, 0.05),
      l("negotiated_discount", "Your discount on list price", 0, 0.9, 0.01),
      l("api_price_factor", "API prices today, against list", 0.1, 3, 0.05),
    ],
  },
  {
    title: "Machines",
    levers: [
      l("hardware_price_factor", "Price of a machine", 0.05, 2.5, 0.05),
      l("utilisation_factor", "Mean utilisation", 0.2, 4, 0.05),
      l("capacity_factor", "What a machine carries", 0.2, 4, 0.05),
      l("hybrid_share", "Share of the bill offered to the floor", 0, 1, 0.01),
      l("rent_price_factor", "Price of rented GPUs", 0.05, 2.5, 0.05),
      l("residual_share", "Worth at the end of life", 0, 1, 0.05),
    ],
  },
  {
    title: "People and power",
    levers: [
      l("fte_first_nodes", "Engineers for the first machines", 0, 4, 0.05),
      l("staff_usd_year", "Cost of an engineer", 0, 500_000, 5_000),
      l("electricity_usd_kwh", "Electricity", 0, 0.6, 0.005),
      l("colocation_usd_kw_month", "Colocation, per kW of maximum draw", 0, 500, 5),
    ],
  },
  {
    title: "Account",
    levers: [
      l("horizon_months", "Horizon", 12, 60, 1),
      l("wacc", "Cost of capital", 0, 0.3, 0.005),
      l("migration_usd", "Migration, once", 0, 500_000, 5_000),
      l("double_running_months", "Months with both paid", 0, 12, 1),
    ],
  },
];

// What a factor means in money or use, for the machines of this plan.
export function meaning_of(state: PlanState, name: string, value: number): string {
  const { inputs, focus } = state.answer;
  const owned = focus === "own" || (focus !== "hybrid" && inputs.hybrid.nodes_min === 0) ? inputs.own : inputs.hybrid;
  const machine = focus === "rent" ? inputs.rent : owned;
  const whole = (usd: number): string => Math.round(usd).toLocaleString("en-US");
  switch (name) {
    case "hardware_price_factor":
      return owned.node_price_usd > 0 ? `$${whole(owned.node_price_usd * value)} a machine` : "";
    case "rent_price_factor":
      return inputs.rent.rent_usd_gpu_hour > 0
        ? `$${(inputs.rent.rent_usd_gpu_hour * value).toFixed(2)} a GPU-hour`
        : "";
    case "utilisation_factor":
      return machine.nodes_min > 0 ? `${Math.round(100 * Math.min(1, machine.utilisation * value))} % busy on average` : "";
    case "capacity_factor":
      return machine.nodes_min > 0 ? `${whole(machine.node_mtok_month * value)} Mtok a month when full` : "";
    default:
      return "";
  }
}

// The part of the bill that moves when the floor is owned is two inputs, money and tokens, which go together.
const SHARE = ["hybrid_moved_usd_month", "hybrid_moved_mtok_month"] as const;

export interface Held {
  input: Input; // as it is shown: value, range, where from
  names: readonly string[]; // what a reset puts back
  changed: boolean;
  written: number;
}

export function held(state: PlanState, name: string): Held | null {
  const bill = state.input("bill_list_usd_month")?.value ?? 0;
  if (name === "hybrid_share") {
    const usd = state.input(SHARE[0]);
    const before = state.written(SHARE[0]) ?? 0;
    if (!usd || bill <= 0 || before <= 0) return null;
    const share = usd.value / bill;
    const input = { ...usd, name, unit: "share of the bill", value: share, low: share, high: share, at_least: 0, at_most: 1 };
    return { input, names: SHARE, changed: SHARE[0] in state.changes, written: before / bill };
  }
  const input = state.input(name);
  if (!input) return null;
  return { input, names: [name], changed: name in state.changes, written: state.written(name) ?? input.value };
}

export function put(state: PlanState, name: string, value: number): void {
  if (name !== "hybrid_share") {
    state.set({ [name]: value });
    return;
  }
  const bill = state.input("bill_list_usd_month")?.value ?? 0;
  const usd = state.written(SHARE[0]) ?? 0;
  const mtok = state.written(SHARE[1]) ?? 0;
  if (usd <= 0) return;
  state.set({ [SHARE[0]]: bill * value, [SHARE[1]]: mtok * ((bill * value) / usd) });
}
