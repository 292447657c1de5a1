// The money model: the formulas of src/planner/money.cc, operation by operation, so that the page computes what the
// program computed. tests/plan_page holds the two together. Units as there: USD, months, Mtok, kW, shares of 1; month 0
// is the day of the order.
import { OPTIONS, type AllIn, type Input, type OptionName } from "./types";

export const MONTHS_MAX = 60;
export const HOURS_PER_MONTH = 730;
export const HOURS_PER_YEAR = 8760;
export const NEVER = 9999; // a month that does not come within the horizon

export interface OptionInputs {
  moved_usd_month: number;
  moved_mtok_month: number;
  node_mtok_month: number;
  utilisation: number;
  nodes_min: number;
  spills: number;
  spare_nodes: number;
  gpus_per_node: number;
  node_price_usd: number;
  node_kw_max: number;
  lead_months: number;
  rent_usd_gpu_hour: number;
  staff_factor: number;
}

const NO_OPTION: OptionInputs = {
  moved_usd_month: 0,
  moved_mtok_month: 0,
  node_mtok_month: 0,
  utilisation: 1,
  nodes_min: 0,
  spills: 0,
  spare_nodes: 0,
  gpus_per_node: 0,
  node_price_usd: 0,
  node_kw_max: 0,
  lead_months: 0,
  rent_usd_gpu_hour: 0,
  staff_factor: 1,
};

export interface MoneyInputs {
  bill_list_usd_month: number;
  negotiated_discount: number;
  credits_usd: number;
  commitment_usd_month: number;
  commitment_months: number;
  seats_usd_month: number;
  load_growth_per_year: number;
  api_price_change_per_year: number;
  api_price_factor: number;
  scheduled_price_factor: number;
  scheduled_from_month: number;
  horizon_months: number;
  wacc: number;
  hardware_price_factor: number;
  capacity_factor: number;
  utilisation_factor: number;
  install_share: number;
  spares_share: number;
  support_share: number;
  software_usd_gpu_year: number;
  depreciation_years: number;
  residual_share: number;
  node_failures_year: number;
  repair_hours: number;
  rented_repair_hours: number;
  outage_usd_hour: number;
  electricity_usd_kwh: number;
  pue: number;
  idle_draw_share: number;
  load_draw_share: number;
  colocation_usd_kw_month: number;
  room_once_usd: number;
  room_usd_month: number;
  network_usd_month: number;
  staff_usd_year: number;
  fte_first_nodes: number;
  first_nodes: number;
  fte_per_further_node: number;
  on_call_usd_month: number;
  migration_usd: number;
  double_running_months: number;
  rent_price_factor: number;
  min_return_share: number;
  min_saving_usd_month: number;
  unexplained_share: number;
  unexplained_limit: number;
  despite_gap: number;
  own: OptionInputs;
  hybrid: OptionInputs;
  rent: OptionInputs;
}
type SharedKey = Exclude<keyof MoneyInputs, "own" | "hybrid" | "rent">;

export interface MonthRow {
  month: number;
  active: number;
  load: number;
  price: number;
  work_nodes: number;
  fits: number;
  down: number;
  served: number;
  nodes: number;
  bought: number;
  capex_hardware: number;
  capex_other: number;
  one_off: number;
  on: number;
  moved: number;
  own_mtok: number;
  busy: number;
  api_failover: number;
  api_used: number;
  api_due: number;
  api_cash: number;
  credits_left: number;
  seats: number;
  power: number;
  site: number;
  network: number;
  support: number;
  software: number;
  staff: number;
  rent: number;
  outage: number;
  running: number;
  cum_hardware: number;
  cum_other: number;
  depreciation: number;
  book_hardware: number;
  resale: number;
  cash: number;
  cum_cash: number;
  saved: number;
  pays_back: number;
  pnl: number;
  discount: number;
  present: number;
  fleet_present: number;
}

// The API bill of a month of today's load and prices, and what of it a move takes away.
export interface BillMonth {
  list: number;
  discount: number;
  paid: number;
  served: number;
  failover: number;
  avoidable: number;
  due_anyway: number;
}

export interface OptionMoney {
  option: OptionName;
  available: boolean;
  months: MonthRow[]; // 0..60
  all_in: AllIn;
  bill_month: BillMonth;
  cash_usd: number;
  pnl_usd: number;
  npv_usd: number;
  fleet_npv_usd: number;
  saved_npv_usd: number;
  break_even_month: number;
  qualifies: boolean;
}

export interface Money {
  options: Record<OptionName, OptionMoney>;
  best: OptionName;
  refused: boolean;
}

// Where the value of an input stands: among the shared ones, or in its option's.
export function set_input(money: MoneyInputs, input: Pick<Input, "section" | "key">, value: number): void {
  if (input.section === "own" || input.section === "hybrid" || input.section === "rent") {
    money[input.section][input.key as keyof OptionInputs] = value;
  } else {
    money[input.key as SharedKey] = value;
  }
}

export function get_input(money: MoneyInputs, input: Pick<Input, "section" | "key">): number {
  if (input.section === "own" || input.section === "hybrid" || input.section === "rent") {
    return money[input.section][input.key as keyof OptionInputs];
  }
  return money[input.key as SharedKey];
}

// All at once and in one order: an object that grew key by key would be a slow one, and it is read in the inner loop.
const no_inputs = (): MoneyInputs => ({
  bill_list_usd_month: 0, negotiated_discount: 0, credits_usd: 0, commitment_usd_month: 0, commitment_months: 0,
  seats_usd_month: 0, load_growth_per_year: 0, api_price_change_per_year: 0, api_price_factor: 0,
  scheduled_price_factor: 0, scheduled_from_month: 0, horizon_months: 0, wacc: 0, hardware_price_factor: 0,
  capacity_factor: 0, utilisation_factor: 0, install_share: 0, spares_share: 0, support_share: 0,
  software_usd_gpu_year: 0, depreciation_years: 0, residual_share: 0, node_failures_year: 0,
  repair_hours: 0, rented_repair_hours: 0, outage_usd_hour: 0, electricity_usd_kwh: 0, pue: 0,
  idle_draw_share: 0, load_draw_share: 0, colocation_usd_kw_month: 0, room_once_usd: 0, room_usd_month: 0,
  network_usd_month: 0, staff_usd_year: 0, fte_first_nodes: 0, first_nodes: 0, fte_per_further_node: 0,
  on_call_usd_month: 0, migration_usd: 0, double_running_months: 0, rent_price_factor: 0, min_return_share: 0,
  min_saving_usd_month: 0, unexplained_share: 0, unexplained_limit: 0, despite_gap: 0,
  own: { ...NO_OPTION }, hybrid: { ...NO_OPTION }, rent: { ...NO_OPTION },
}); // prettier-ignore

// Every input of the table has a value in a plan file, so nothing is left undefined.
export function inputs_of(inputs: readonly Input[]): MoneyInputs {
  const money = no_inputs();
  for (const input of inputs) set_input(money, input, input.value);
  return money;
}

export const copy_of = (money: MoneyInputs): MoneyInputs => ({
  ...money,
  own: { ...money.own },
  hybrid: { ...money.hybrid },
  rent: { ...money.rent },
});

export const option_inputs = (money: MoneyInputs, option: OptionName): OptionInputs =>
  option === "stay" ? NO_OPTION : money[option];

const without_noise = (x: number): number => Math.round(x * 1e6) / 1e6;

// A floor grows as planned, whatever its nodes turn out to carry, but no further than what all of the work needs.
export function nodes_for(o: OptionInputs, work_mtok: number, node_mtok: number): number {
  const all = Math.ceil(without_noise(work_mtok / Math.max(1e-9, node_mtok)));
  if (o.spills !== 1) return Math.max(o.nodes_min, all);
  const planned_mtok = o.node_mtok_month * Math.min(1, o.utilisation);
  const planned = Math.floor(without_noise(work_mtok / Math.max(1e-9, planned_mtok)));
  return Math.max(o.nodes_min, Math.min(planned, all));
}

interface Running {
  power: number;
  site: number;
  network: number;
  support: number;
  software: number;
  staff: number;
  rent: number;
}

function running_of(m: MoneyInputs, o: OptionInputs, nodes: number, busy: number, hardware_usd: number): Running {
  const owned = o.node_price_usd > 0;
  return {
    power:
      nodes *
      o.node_kw_max *
      (m.idle_draw_share + (m.load_draw_share - m.idle_draw_share) * busy) *
      m.pue *
      HOURS_PER_MONTH *
      m.electricity_usd_kwh,
    site: nodes * o.node_kw_max * m.colocation_usd_kw_month + (owned ? m.room_usd_month : 0),
    network: owned ? m.network_usd_month : 0,
    support: (hardware_usd * m.support_share) / 12,
    software: (nodes * o.gpus_per_node * m.software_usd_gpu_year) / 12,
    staff:
      nodes > 0
        ? ((m.fte_first_nodes + m.fte_per_further_node * Math.max(0, nodes - m.first_nodes)) *
            o.staff_factor *
            m.staff_usd_year) /
            12 +
          m.on_call_usd_month
        : 0,
    rent: nodes * o.gpus_per_node * HOURS_PER_MONTH * o.rent_usd_gpu_hour * m.rent_price_factor,
  };
}

function busy_share(m: MoneyInputs, o: OptionInputs, nodes: number, mtok: number): number {
  if (nodes <= 0) return 0;
  return Math.min(1, mtok / Math.max(1e-9, nodes * o.node_mtok_month * m.capacity_factor));
}

// A node kept for failures is the store of spare parts, too.
export const spares_share = (m: MoneyInputs, o: OptionInputs): number => (o.spare_nodes >= 1 ? 0 : m.spares_share);

// The share of a node's time that it is out of service.
export function down_share(m: MoneyInputs, o: OptionInputs): number {
  const hours = o.node_price_usd > 0 ? m.repair_hours : m.rented_repair_hours;
  return Math.min(1, (m.node_failures_year * hours) / HOURS_PER_YEAR);
}

export function annuity(amount: number, rate_month: number, months: number): number {
  if (rate_month === 0) return amount / months;
  return (amount * rate_month) / (1 - Math.pow(1 + rate_month, -months));
}

export function all_in_month(m: MoneyInputs, o: OptionInputs, nodes: number, busy: number): AllIn {
  const hardware = nodes * o.node_price_usd * m.hardware_price_factor;
  const room = nodes > 0 && o.node_price_usd > 0 ? m.room_once_usd : 0;
  const spent = hardware * (1 + m.install_share + spares_share(m, o)) + room;
  const capital = annuity(
    spent - (hardware * m.residual_share) / Math.pow(1 + m.wacc, m.depreciation_years),
    m.wacc / 12,
    m.depreciation_years * 12,
  );
  const r = running_of(m, o, nodes, busy, hardware);
  const site = nodes > 0 ? r.site : 0;
  const network = nodes > 0 ? r.network : 0;
  const total = capital + r.power + site + network + r.support + r.software + r.staff + r.rent;
  return { ...r, capital, site, network, outage: 0, total, mtok: 0, usd_per_mtok: 0 };
}

const NO_ALL_IN: AllIn = {
  capital: 0, power: 0, site: 0, network: 0, support: 0, software: 0, staff: 0, rent: 0, outage: 0,
  total: 0, mtok: 0,
  usd_per_mtok: 0,
}; // prettier-ignore

// Month by month, in the order of the workbook's columns: fleet, API bill, running costs, totals. `stay` is what the
// option is held against; null: it is staying itself. sums.ts has the same formulas without the rows.
function run_months(m: MoneyInputs, o: OptionInputs, stay: OptionMoney | null, out: OptionMoney): void {
  const there = o.nodes_min > 0;
  const node_mtok = o.node_mtok_month * m.capacity_factor * Math.min(1, o.utilisation * m.utilisation_factor);
  const life = m.depreciation_years * 12;
  const down_of_node = down_share(m, o);
  let nodes = 0, credits_left = m.credits_usd, cum_hardware = 0, cum_other = 0, book_hardware = 0, cum_cash = 0; // prettier-ignore
  for (let month = 0; month <= MONTHS_MAX; ++month) {
    const active = month <= m.horizon_months ? 1 : 0;
    const runs = month > 0 ? active : 0;
    const since = Math.max(month - 1, 0) / 12;
    const load = Math.pow(1 + m.load_growth_per_year, since);
    const price =
      m.api_price_factor *
      Math.pow(1 + m.api_price_change_per_year, since) *
      (m.scheduled_from_month > 0 && month >= m.scheduled_from_month ? m.scheduled_price_factor : 1);
    const work_mtok = o.moved_mtok_month * load;
    const spills = o.spills === 1;
    const work_nodes = there ? nodes_for(o, work_mtok, node_mtok) * active : 0;
    const fits = spills ? Math.min(1, (work_nodes * node_mtok) / Math.max(1e-9, work_mtok)) : 1;
    const nodes_before = nodes;
    nodes = there ? Math.max(nodes_before, work_nodes + o.spare_nodes * active) : 0;
    const bought = nodes - nodes_before;
    const down = there && nodes - work_nodes < 1 ? down_of_node : 0;
    const served = fits * (1 - down);
    const capex_hardware = bought * o.node_price_usd * m.hardware_price_factor;
    const ordered = month === 0 && there;
    const capex_other =
      capex_hardware * (m.install_share + spares_share(m, o)) + (ordered && o.node_price_usd > 0 ? m.room_once_usd : 0);
    const one_off = ordered ? m.migration_usd : 0;

    const on = there && month > o.lead_months ? runs : 0;
    const moved = there && month > o.lead_months + m.double_running_months ? runs : 0;
    const own_mtok = o.moved_mtok_month * load * served * moved;
    const busy = busy_share(m, o, nodes, own_mtok);
    const api_failover = o.moved_usd_month * fits * down * moved * (1 - m.negotiated_discount) * load * price;
    const api_used =
      Math.max(0, m.bill_list_usd_month - o.moved_usd_month * served * moved) *
      (1 - m.negotiated_discount) *
      load *
      price *
      runs;
    const api_due = Math.max(api_used, (month <= m.commitment_months ? m.commitment_usd_month : 0) * runs);
    const api_cash = Math.max(0, api_due - credits_left);
    credits_left = Math.max(0, credits_left - api_due);
    const seats = m.seats_usd_month * runs;

    cum_hardware += capex_hardware;
    cum_other += capex_other;
    const r = running_of(m, o, nodes, busy, cum_hardware);
    const power = r.power * on;
    const site = r.site * on;
    const network = r.network * on;
    const support = r.support * on;
    const software = r.software * on;
    const staff = r.staff * on;
    const rent = r.rent * on;
    const outage = work_nodes * down * HOURS_PER_MONTH * m.outage_usd_hour * moved;
    const running = power + site + network + support + software + staff + rent + outage;

    const worn = ((cum_hardware * (1 - m.residual_share)) / life) * runs;
    const depreciation = worn + (cum_other / life) * runs;
    book_hardware = book_hardware + capex_hardware - worn;
    const resale = month === m.horizon_months ? book_hardware : 0;
    const cash = api_cash + seats + running + capex_hardware + capex_other + one_off;
    cum_cash += cash;
    const saved = stay ? stay.months[month]!.cum_cash - cum_cash : 0;
    const pays_back = stay && runs === 1 && moved === 1 && saved >= -0.005 ? month : NEVER;
    const pnl = api_cash + seats + running + depreciation + one_off;
    const discount = Math.pow(1 + m.wacc, -month / 12);
    const present = (cash - resale) * discount;
    const fleet_present = (running + capex_hardware + capex_other + one_off - resale) * discount;

    out.cash_usd += cash - resale;
    out.pnl_usd += pnl;
    out.npv_usd += present;
    out.fleet_npv_usd += fleet_present;
    out.break_even_month = Math.min(out.break_even_month, pays_back);
    out.months.push({
      month, active, load, price, work_nodes, fits, down, served, nodes, bought, capex_hardware, capex_other,
      one_off, on, moved, own_mtok, busy, api_failover, api_used, api_due, api_cash, credits_left, seats, power, site, network, support, software, staff,
      rent, outage, running, cum_hardware, cum_other, depreciation, book_hardware, resale, cash, cum_cash, saved, pays_back, pnl,
      discount, present, fleet_present,
    }); // prettier-ignore
  }
}

function bill_month(m: MoneyInputs, o: OptionInputs, row: Pick<MonthRow, "fits" | "down" | "served">): BillMonth {
  const owed = m.commitment_months > 0 ? m.commitment_usd_month : 0;
  const list = m.bill_list_usd_month * m.api_price_factor;
  const discount = list * m.negotiated_discount;
  const paid = list - discount;
  const moved = o.moved_usd_month * (1 - m.negotiated_discount) * m.api_price_factor;
  const served = moved * row.served;
  const failover = moved * row.fits * row.down;
  const avoidable = Math.max(paid, owed) - Math.max(paid - served, owed);
  return { list, discount, paid, served, failover, avoidable, due_anyway: served - avoidable };
}

function compute_option(m: MoneyInputs, option: OptionName, stay: OptionMoney | null): OptionMoney {
  const o = option_inputs(m, option);
  const out: OptionMoney = {
    option,
    available: stay === null || o.nodes_min > 0,
    months: [],
    all_in: NO_ALL_IN,
    bill_month: bill_month(m, o, { fits: 0, down: 0, served: 0 }),
    cash_usd: 0,
    pnl_usd: 0,
    npv_usd: 0,
    fleet_npv_usd: 0,
    saved_npv_usd: 0,
    break_even_month: NEVER,
    qualifies: false,
  };
  run_months(m, o, stay, out);
  const first = out.months[0]!;
  const mtok = o.moved_mtok_month * first.served;
  out.all_in = all_in_month(m, o, first.nodes, busy_share(m, o, first.nodes, mtok));
  out.all_in.mtok = mtok;
  out.all_in.outage = first.work_nodes * first.down * HOURS_PER_MONTH * m.outage_usd_hour;
  out.all_in.total += out.all_in.outage;
  if (mtok > 0) out.all_in.usd_per_mtok = out.all_in.total / mtok;
  if (stay !== null && out.available) out.bill_month = bill_month(m, o, first);
  if (stay === null) return out;
  out.saved_npv_usd = stay.npv_usd - out.npv_usd;
  out.qualifies = out.available && pays(m, out.saved_npv_usd, out.fleet_npv_usd);
  return out;
}

// Whether a saving is worth the advice.
export const pays = (m: MoneyInputs, saved_usd: number, fleet_usd: number): boolean =>
  saved_usd >= m.min_return_share * fleet_usd && saved_usd >= m.min_saving_usd_month * m.horizon_months;

export function compute_money(m: MoneyInputs): Money {
  const stay = compute_option(m, "stay", null);
  const options = {
    stay,
    own: compute_option(m, "own", stay),
    hybrid: compute_option(m, "hybrid", stay),
    rent: compute_option(m, "rent", stay),
  };
  let best: OptionName = "stay";
  let most = 0;
  for (const option of OPTIONS) {
    const out = options[option];
    if (out.qualifies && out.saved_npv_usd > most) {
      most = out.saved_npv_usd;
      best = option;
    }
  }
  return { options, best, refused: m.unexplained_share > m.unexplained_limit && m.despite_gap === 0 };
}

export interface Violation {
  input: string; // name
  why: string;
}

// Machines, switches and the horizon: half of one is none.
const WHOLE = new Set(["horizon_months", "despite_gap", "spills", "nodes_min", "spare_nodes", "gpus_per_node"]);

// What must hold before anything is computed; the rules of validate() in src/planner/scenario.cc.
export function violations(inputs: readonly Input[], m: MoneyInputs): Violation[] {
  const out: Violation[] = [];
  for (const input of inputs) {
    if (!(input.value >= input.at_least && input.value <= input.at_most)) {
      const most = input.at_most >= 1e12 ? "" : ` and at most ${input.at_most}`;
      out.push({ input: input.name, why: `must be at least ${input.at_least}${most} (${input.unit})` });
    } else if (WHOLE.has(input.key) && input.value !== Math.floor(input.value)) {
      out.push({ input: input.name, why: `must be a whole number (${input.unit})` });
    }
  }
  if (m.horizon_months > m.depreciation_years * 12) {
    out.push({
      input: "horizon_months",
      why: "must not be longer than the life of the hardware: what replaces it is not in the account",
    });
  }
  if (m.load_draw_share < m.idle_draw_share) {
    out.push({ input: "load_draw_share", why: "must not be less than the draw of an idle machine" });
  }
  for (const option of ["own", "hybrid", "rent"] as const) {
    const o = m[option];
    if (o.moved_usd_month > m.bill_list_usd_month * (1 + 1e-9)) {
      out.push({ input: `${option}_moved_usd_month`, why: "must not be more than the whole bill" });
    }
    if (o.nodes_min > 0 && (o.node_mtok_month <= 0 || o.utilisation <= 0)) {
      out.push({ input: `${option}_node_mtok_month`, why: "this and the utilisation must be more than 0" });
    }
  }
  return out;
}
