// The sums of the money model without its months: what tornado, turning points and sampling ask for some thousand times
// at one touch of a slider. The formulas and their order are those of run_months() in money.ts; what does not change from
// month to month is computed once. tests/plan_page holds both against the program.
import {
  down_share,
  HOURS_PER_MONTH,
  MONTHS_MAX,
  NEVER,
  nodes_for,
  option_inputs,
  pays,
  spares_share,
  type MoneyInputs,
  type OptionInputs,
} from "./money";
import { OPTIONS } from "./types";

export const POWERS = MONTHS_MAX + 1; // of one rate

// (1 + rate)^t for every month up to `last`, from `at` on.
export function fill_powers(rate: number, discount: boolean, last: number, out: Float64Array, at: number): void {
  for (let month = 0; month <= last; ++month) {
    const years = discount ? -month / 12 : Math.max(month - 1, 0) / 12;
    out[at + month] = Math.pow(1 + rate, years);
  }
}

// Where the powers of the three rates stand. In the sampling each draw has its own row of a table.
export interface Powers {
  load: Float64Array;
  load_at: number;
  price: Float64Array;
  price_at: number;
  discount: Float64Array;
  discount_at: number;
}

// Powers of the rates of `m`; computed again only where a rate has changed since the last call.
export class OwnPowers implements Powers {
  readonly load = new Float64Array(POWERS);
  readonly price = new Float64Array(POWERS);
  readonly discount = new Float64Array(POWERS);
  readonly load_at = 0;
  readonly price_at = 0;
  readonly discount_at = 0;
  private growth = NaN;
  private change = NaN;
  private wacc = NaN;

  follow(m: MoneyInputs): this {
    if (m.load_growth_per_year !== this.growth) {
      this.growth = m.load_growth_per_year;
      fill_powers(this.growth, false, MONTHS_MAX, this.load, 0);
    }
    if (m.api_price_change_per_year !== this.change) {
      this.change = m.api_price_change_per_year;
      fill_powers(this.change, false, MONTHS_MAX, this.price, 0);
    }
    if (m.wacc !== this.wacc) {
      this.wacc = m.wacc;
      fill_powers(this.wacc, true, MONTHS_MAX, this.discount, 0);
    }
    return this;
  }
}

// By the index of an option in OPTIONS.
export class Sums {
  readonly saved = new Float64Array(OPTIONS.length); // present value against staying, which saves nothing
  readonly month = new Float64Array(OPTIONS.length).fill(NEVER); // in which the money is back
  best = 0;
}

// Left by the months of staying for those of the others.
const api_price = new Float64Array(MONTHS_MAX + 1);
const stay_cash = new Float64Array(MONTHS_MAX + 1);

function stay_npv(m: MoneyInputs, p: Powers): number {
  const { load, load_at, price, price_at, discount, discount_at } = p;
  const { bill_list_usd_month, api_price_factor, seats_usd_month, commitment_usd_month, commitment_months } = m;
  const scheduled_from = m.scheduled_from_month > 0 ? m.scheduled_from_month : Infinity;
  const scheduled_factor = m.scheduled_price_factor;
  const paid = 1 - m.negotiated_discount;
  const last = m.horizon_months;
  let credits = m.credits_usd;
  let cash_so_far = 0;
  let npv = 0;
  for (let month = 1; month <= last; ++month) {
    const at = api_price_factor * price[price_at + month]! * (month >= scheduled_from ? scheduled_factor : 1);
    const used = bill_list_usd_month * paid * load[load_at + month]! * at;
    const due = Math.max(used, month <= commitment_months ? commitment_usd_month : 0);
    const cash = Math.max(0, due - credits) + seats_usd_month;
    credits = Math.max(0, credits - due);
    cash_so_far += cash;
    api_price[month] = at;
    stay_cash[month] = cash_so_far;
    npv += cash * discount[discount_at + month]!;
  }
  return npv;
}

// Of the option that was summed last.
let fleet_npv = 0;
let back_in = NEVER;

// Everything is read into a local first: in the loop a number that stands in an object costs as much as the sums.
function fleet_npv_of(m: MoneyInputs, o: OptionInputs, p: Powers): number {
  const { load: loads, load_at, discount: discounts, discount_at } = p;
  const { node_mtok_month, moved_usd_month, moved_mtok_month, node_price_usd, node_kw_max, lead_months } = o;
  const { capacity_factor, bill_list_usd_month, seats_usd_month, commitment_usd_month, commitment_months } = m;
  const { pue, electricity_usd_kwh, idle_draw_share, migration_usd, horizon_months: last } = m;
  const node_mtok = node_mtok_month * capacity_factor * Math.min(1, o.utilisation * m.utilisation_factor);
  const worn_share = 1 - m.residual_share;
  const life = m.depreciation_years * 12;
  const paid = 1 - m.negotiated_discount;
  const spare_nodes = o.spare_nodes;
  const other_share = m.install_share + spares_share(m, o);
  const spills = o.spills === 1;
  const owned = node_price_usd > 0;
  const network = owned ? m.network_usd_month : 0;
  const room = owned ? m.room_usd_month : 0;
  const moves_after = lead_months + m.double_running_months;
  const draw_more = m.load_draw_share - idle_draw_share;
  const down_of_node = down_share(m, o);
  const outage_usd = HOURS_PER_MONTH * m.outage_usd_hour;
  let nodes = 0, work_nodes = 0, fits = 1, load_before = NaN; // prettier-ignore
  let hardware = 0, worn = 0, book = 0; // prettier-ignore
  let site = 0, support = 0, software = 0, staff = 0, rent = 0, full = 1, kw = 0; // prettier-ignore
  let credits = m.credits_usd;
  let cash_so_far = 0;
  let npv = 0;
  let fleet = 0;
  let back = NEVER;
  for (let month = 0; month <= last; ++month) {
    const load = loads[load_at + month]!;
    if (load !== load_before) {
      load_before = load;
      const work_mtok = moved_mtok_month * load;
      work_nodes = nodes_for(o, work_mtok, node_mtok);
      fits = spills ? Math.min(1, (work_nodes * node_mtok) / Math.max(1e-9, work_mtok)) : 1;
    }
    let spent = 0;
    let capex_hardware = 0;
    if (work_nodes + spare_nodes > nodes) {
      const bought = work_nodes + spare_nodes - nodes;
      nodes = work_nodes + spare_nodes;
      capex_hardware = bought * node_price_usd * m.hardware_price_factor;
      hardware += capex_hardware;
      spent =
        capex_hardware +
        (capex_hardware * other_share + (month === 0 && owned ? m.room_once_usd : 0));
      worn = (hardware * worn_share) / life;
      site = nodes * node_kw_max * m.colocation_usd_kw_month + room;
      support = (hardware * m.support_share) / 12;
      software = (nodes * o.gpus_per_node * m.software_usd_gpu_year) / 12;
      staff =
        ((m.fte_first_nodes + m.fte_per_further_node * Math.max(0, nodes - m.first_nodes)) *
          o.staff_factor *
          m.staff_usd_year) /
          12 +
        m.on_call_usd_month;
      rent = nodes * o.gpus_per_node * HOURS_PER_MONTH * o.rent_usd_gpu_hour * m.rent_price_factor;
      full = Math.max(1e-9, nodes * node_mtok_month * capacity_factor);
      kw = nodes * node_kw_max;
    }
    if (month === 0) {
      book = capex_hardware;
      cash_so_far = npv = fleet = spent + migration_usd;
      continue;
    }
    const moved = month > moves_after;
    const down = nodes - work_nodes < 1 ? down_of_node : 0;
    const carried = moved ? fits * (1 - down) : 0;
    let running = 0;
    if (month > lead_months) {
      const busy = Math.min(1, (moved_mtok_month * load * carried) / full);
      const power = kw * (idle_draw_share + draw_more * busy) * pue * HOURS_PER_MONTH * electricity_usd_kwh;
      running = power + site + network + support + software + staff + rent + (moved ? work_nodes * down * outage_usd : 0);
    }
    const used = Math.max(0, bill_list_usd_month - moved_usd_month * carried) * paid * load * api_price[month]!;
    const due = Math.max(used, month <= commitment_months ? commitment_usd_month : 0);
    const cash = Math.max(0, due - credits) + seats_usd_month + running + spent;
    credits = Math.max(0, credits - due);
    book = book + capex_hardware - worn;
    const resale = month === last ? book : 0;
    cash_so_far += cash;
    if (back === NEVER && month > moves_after && stay_cash[month]! - cash_so_far >= -0.005) back = month;
    const discount = discounts[discount_at + month]!;
    npv += (cash - resale) * discount;
    fleet += (running + spent - resale) * discount;
  }
  fleet_npv = fleet;
  back_in = back;
  return npv;
}

export function sum_up(m: MoneyInputs, p: Powers, out: Sums): void {
  const stay = stay_npv(m, p);
  let most = 0;
  let best = 0;
  for (let i = 1; i < OPTIONS.length; ++i) {
    const o = option_inputs(m, OPTIONS[i]!);
    if (!(o.nodes_min > 0)) {
      out.saved[i] = 0;
      out.month[i] = NEVER;
      continue;
    }
    const saved = stay - fleet_npv_of(m, o, p);
    out.saved[i] = saved;
    out.month[i] = back_in;
    if (saved > most && pays(m, saved, fleet_npv)) {
      most = saved;
      best = i;
    }
  }
  out.best = best;
}
