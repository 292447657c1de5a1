// The plan file, schema "freehold.plan/1" (docs/formats/plan-json.md), as far as the page reads it.

export type OptionName = "stay" | "own" | "hybrid" | "rent";
export const OPTIONS: readonly OptionName[] = ["stay", "own", "hybrid", "rent"];

export interface Input {
  name: string;
  section: string;
  key: string;
  label: string;
  unit: string;
  value: number;
  low: number;
  high: number;
  at_least: number;
  at_most: number;
  source: string;
  date: string;
  confidence: string;
  from: "default" | "data" | "user";
}

export interface Tokens {
  input_uncached: number;
  cache_read: number;
  cache_write_5m: number;
  cache_write_30m: number;
  cache_write_1h: number;
  output: number;
}

export interface Workload {
  name: string;
  may_move: boolean;
  requests: number;
  requests_estimated?: boolean; // the source counts none
  usd_month: number;
  mtok_month: number;
  models: string[];
  tokens: Tokens;
}

export interface Machines {
  machine: string;
  machine_name: string;
  count: number;
  spare: number;
  model: string;
  model_name: string;
  precision: string;
  token_share: number;
  utilisation_peak: number;
  ttft_p95_ms: number | null;
  tpot_ms: number | null;
  sessions_live: number;
  accuracy: string;
  busy_by_hour?: number[]; // of the week, Monday 00 UTC first
  workloads: string[];
}

export interface AllIn {
  capital: number;
  power: number;
  site: number;
  network: number;
  support: number;
  software: number;
  staff: number;
  rent: number;
  outage: number;
  total: number;
  mtok: number; // served in that month
  usd_per_mtok: number;
}

export interface OptionResult {
  option: OptionName;
  title: string;
  available: boolean;
  machines: Machines | null;
  cash_usd: number;
  pnl_usd: number;
  npv_usd: number;
  fleet_npv_usd: number;
  saved_npv_usd: number;
  qualifies: boolean;
  break_even_month: number | null;
  all_in_month: AllIn;
  sampled: Record<string, number | null>;
  months: Record<string, number[]>;
}

export interface Question {
  key: string;
  question: string;
  state: "yes" | "no" | "not known";
  evidence: string;
  missing: string[];
}

export interface PriceLine {
  id: string;
  name: string;
  as_of: string;
  confidence: string;
  source?: string;
  since: string;
  input: number | null;
  cache_read: number | null;
  cache_write: number | null;
  cache_write_1h: number | null;
  output: number | null;
}

export interface Considered {
  model: string;
  precision: string;
  machine: string;
  fits: boolean;
  why_not: string;
  machines_peak: number;
  machines_floor: number;
  processed_tok_s: number | null;
  prefill_tok_s?: number;
  decode_tok_s?: number;
  decode_tok_s_alone?: number;
  sessions_p50?: number;
  sessions_p95?: number;
  ttft_p95_ms: number | null;
  tpot_ms: number | null;
  utilisation_peak?: number;
  utilisation_mean?: number;
  accuracy?: string;
}

// One line of the comparison of charges with usage; `day` where it is of one.
export interface Gap {
  day?: string;
  model: string;
  charged_usd: number;
  listed_usd: number;
  computed_low_usd: number;
  computed_high_usd: number;
  gap_usd: number;
  tokens_used: number;
  tokens_charged: number | null;
  gap_tokens: number | null;
  gap_tokens_counted: boolean; // by the charges; else the money at the mean price
  used: boolean;
  charged: boolean;
}

export interface PlanFile {
  schema: string;
  example: boolean;
  date: string;
  evidence: string;
  verdict: {
    word: string;
    refused: boolean;
    headline: string;
    reasons: string[];
    flips: string[];
    cautions: string[];
  };
  reconciliation: {
    evidence: boolean;
    advice_allowed: boolean;
    unexplained_share: number;
    charged_usd: number;
    at_list: boolean; // explained before discount
    listed_usd: number;
    computed_low_usd: number;
    computed_high_usd: number;
    other_charged_usd: number;
    gap_usd?: number;
    summary: string;
    models?: Gap[];
    days?: Gap[];
  };
  usage: {
    days: number;
    days_active: number;
    first_day: string;
    last_day: string;
    requests: number;
    price_version: string;
    prefix_reuse_share: number;
    trend_per_month: number | null;
    unpriced_tokens: number;
    tokens: Tokens;
    workloads: Workload[];
    days_by_workload: { day: string; workload: string; usd: number }[];
  };
  inputs: Input[];
  options: OptionResult[];
  sensitivity: {
    focus: OptionName;
    seed: number;
    draws: number;
    tornado: {
      input: string;
      low: number;
      high: number;
      saved_at_low: number;
      saved_at_high: number;
      best_at_low: OptionName;
      best_at_high: OptionName;
    }[];
    flips: {
      input: string;
      label: string;
      unit: string;
      now: number;
      found: boolean;
      value: number | null;
      to: OptionName;
      searched_low: number;
      searched_high: number;
      reading: string;
    }[];
  };
  readiness: { summary: string; questions: Question[]; answers?: Record<string, string> };
  prices: PriceLine[];
  considered: Considered[];
  no_machine: string; // why, where none carries the work
  sources: { key: string; title: string; address: string }[];
  notes: string[];
}
