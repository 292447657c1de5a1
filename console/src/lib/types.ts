// The admin API's JSON (docs/api/admin.md). Times are unix milliseconds, durations microseconds, money micro-USD.

export interface Session {
  key_id: string;
  key_name: string;
  role: "admin" | "member";
}

export interface ModelFacts {
  display_name?: string;
  architecture?: string;
  parameters?: number;
  quantization?: string;
  licence?: string;
  republisher?: string;
  source?: string;
  sha256?: string;
  size_bytes?: number;
  context_length?: number;
  kv_bytes_per_token?: number;
  tools_in_template?: boolean;
  fits?: "yes" | "tight" | "no";
  fit_text?: string;
}

export interface Model {
  id: string;
  aliases: string[];
  state: "ready" | "starting" | "stopped" | "failed";
  detail: string;
  context_tokens: number;
  sequences_max: number;
  running: number;
  queued: number;
  queue_max: number;
  kv_tokens_used: number;
  kv_tokens_max: number;
  restarts: number;
  tools: boolean;
  images: boolean;
  reasoning: boolean;
  upstream: string;
  facts?: ModelFacts;
}

export interface Status {
  version: string;
  started_ms: number;
  now_ms: number;
  durability: "process" | "power";
  ledger_healthy: boolean;
  sqlite_version: string;
  llama_version: string;
  price_book: { version: string; compare: string[] };
  listen: string[];
  data_dir: string;
  rss_bytes: number;
  worker_lock: string;
  requests_running: number;
  models: Model[];
}

export interface Usage {
  input_uncached: number;
  cache_read: number;
  cache_write: number;
  output: number;
  reasoning: number;
}

export interface Work {
  computed: number;
  cached: number;
  restored: number;
}

export interface ApiCost {
  model: string;
  micro_usd: number | null;
}

export interface Stage {
  name: string;
  at_ms: number;
  offset_us: number;
}

// A row of the ledger. Without a settlement (`running`) everything from `usage` on is absent.
export interface Row {
  request_id: string;
  sequence: number;
  attempt: number;
  state: "running" | "settled";
  key_id: string;
  key_name: string;
  project: string;
  workload: string;
  dialect: string;
  model_requested: string;
  model_served: string;
  upstream: string;
  stream: boolean;
  received_ms: number | null;
  admitted_ms: number | null;
  prompt_tokens: number;
  max_output_tokens: number;
  stages: Stage[];
  usage?: Usage;
  work?: Work;
  end_reason?: string;
  error_code?: string;
  http_status?: number;
  first_token_ms?: number | null;
  ended_ms?: number | null;
  queue_us?: number;
  prefill_us?: number;
  decode_us?: number;
  duration_us?: number;
  ttft_us?: number | null;
  tokens_per_second?: number | null;
  cost_micro_usd?: number | null;
  charge_micro_usd?: number | null;
  price_version?: string;
  api_costs?: ApiCost[];
}

export interface RowPage {
  rows: Row[];
  next_before: number | null;
}

// One change of one request, from the live stream.
export interface Life {
  request_id: string;
  state: "running" | "settled";
  stage: string;
  model_served: string;
  key_name: string;
  dialect: string;
  workload: string;
  stream: boolean;
  received_ms: number | null;
  first_token_ms: number | null;
  prompt_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  tokens_per_second: number | null;
  end_reason: string | null;
}

export interface Key {
  id: string;
  name: string;
  hint: string;
  role: "admin" | "member";
  project: string;
  workload: string;
  created_ms: number | null;
  revoked_ms: number | null;
}

export interface UsageRow {
  group?: string;
  requests: number;
  failed: number;
  usage: Usage;
  work: Work;
  cost_micro_usd: number | null;
  cost_unpriced: number;
  api_costs: (ApiCost & { unpriced: number })[];
}

export interface UsageReport {
  by: string;
  from_ms: number | null;
  to_ms: number | null;
  rows: UsageRow[];
  totals: UsageRow;
}
