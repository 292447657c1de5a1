#include "admin/admin_json.h"

#include <algorithm>

#include "gateway/authenticate.h"

namespace fh::admin {
namespace {

using codec::json::Writer;

constexpr std::int64_t ms(std::int64_t unix_ns) {
  return unix_ns / 1'000'000;
}
constexpr std::int64_t us(std::int64_t ns) {
  return ns / 1'000;
}

void member_time(Writer& w, std::string_view name, std::int64_t unix_ns) {
  w.key(name);
  if (unix_ns == 0) {
    w.null();
  } else {
    w.value(ms(unix_ns));
  }
}

void member_money(Writer& w, std::string_view name, const std::optional<domain::MicroUsd>& amount) {
  w.key(name);
  if (amount) {
    w.value(amount->value);
  } else {
    w.null();
  }
}

void write_api_costs(Writer& w, const std::vector<ledger::ApiCost>& costs) {
  w.key("api_costs").array();
  for (const ledger::ApiCost& cost : costs) {
    w.object().member("model", cost.model);
    member_money(w, "micro_usd", cost.cost);
    w.end_object();
  }
  w.end_array();
}

std::string key_name(const KeyNames& keys, std::string_view id) {
  const auto it =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.id == id; });
  if (it != keys.end()) return it->name;
  return id == gateway::kLocalKeyId ? std::string(gateway::kLocalKeyName) : std::string();
}

// When it stopped, as far as it is known: the booking comes after the end.
std::int64_t ended_unix_ns(const gateway::RequestLife& life) {
  if (!life.ended || life.stages.empty()) return 0;
  const auto it = std::find_if(life.stages.begin(), life.stages.end(),
                               [](const auto& stage) { return stage.name == "ended"; });
  return it == life.stages.end() ? life.stages.back().unix_ns : it->unix_ns;
}

// Stages as they can be told from the row alone, for requests that the live registry no longer
// knows.
std::vector<gateway::StageMark> stages_of_row(const ledger::Row& row) {
  const ledger::Admission& a = row.admission;
  std::vector<gateway::StageMark> stages = {{"received", a.received_unix_ns},
                                            {"admitted", a.admitted_unix_ns}};
  if (!row.settlement) return stages;
  const ledger::Settlement& s = *row.settlement;
  const std::int64_t queued = a.admitted_unix_ns + s.timings.queue_ns;
  if (s.timings.prefill_ns > 0) stages.push_back({"prefill", queued});
  if (s.first_token_unix_ns != 0) stages.push_back({"first_token", s.first_token_unix_ns});
  if (s.ended_unix_ns != 0) stages.push_back({"ended", s.ended_unix_ns});
  return stages;
}

void write_stages(Writer& w, const std::vector<gateway::StageMark>& stages) {
  w.key("stages").array();
  for (const gateway::StageMark& stage : stages) {
    w.object().member("name", stage.name).member("at_ms", ms(stage.unix_ns));
    w.member("offset_us", us(stage.unix_ns - stages.front().unix_ns)).end_object();
  }
  w.end_array();
}

void write_settlement(Writer& w, const ledger::Admission& a, const ledger::Settlement& s) {
  w.key("usage");
  write_usage(w, s.usage);
  w.key("work");
  write_work(w, s.work);
  w.member("end_reason", domain::end_reason_name(s.reason)).member("error_code", s.error_code);
  w.member("http_status", s.http_status);
  member_time(w, "first_token_ms", s.first_token_unix_ns);
  member_time(w, "ended_ms", s.ended_unix_ns);
  w.member("queue_us", us(s.timings.queue_ns)).member("prefill_us", us(s.timings.prefill_ns));
  w.member("decode_us", us(s.timings.decode_ns));
  w.member("duration_us", us(std::max<std::int64_t>(0, s.ended_unix_ns - a.received_unix_ns)));
  w.key("ttft_us");
  if (s.first_token_unix_ns == 0) {
    w.null();
  } else {
    w.value(us(s.first_token_unix_ns - a.received_unix_ns));
  }
  w.key("tokens_per_second");
  if (s.timings.decode_ns > 0 && s.usage.output > 1) {
    w.value(static_cast<double>(s.usage.output - 1) * 1e9 /
            static_cast<double>(s.timings.decode_ns));
  } else {
    w.null();
  }
  member_money(w, "cost_micro_usd", s.cost);
  member_money(w, "charge_micro_usd", s.charge);
  w.member("price_version", s.price_version);
  write_api_costs(w, s.api_costs);
}

void write_usage_row(Writer& w, const ledger::UsageRow& row) {
  w.member("requests", row.requests).member("failed", row.failed).key("usage");
  write_usage(w, row.usage);
  w.key("work");
  write_work(w, row.work);
  member_money(w, "cost_micro_usd", row.cost_priced > 0 ? std::optional(row.cost) : std::nullopt);
  w.member("cost_unpriced", row.cost_unpriced).key("api_costs").array();
  for (std::size_t i = 0; i < row.api_costs.size(); ++i) {
    w.object().member("model", row.api_costs[i].model);
    member_money(w, "micro_usd", row.api_costs[i].cost);
    w.member("unpriced", i < row.api_unpriced.size() ? row.api_unpriced[i] : 0).end_object();
  }
  w.end_array();
}

void csv_cell(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

void write_usage(Writer& w, const domain::Usage& usage) {
  w.object().member("input_uncached", usage.input_uncached).member("cache_read", usage.cache_read);
  w.member("cache_write", usage.cache_write()).member("output", usage.output);
  w.member("reasoning", usage.reasoning).end_object();
}

void write_work(Writer& w, const domain::PromptWork& work) {
  w.object().member("computed", work.computed).member("cached", work.cached);
  w.member("restored", work.restored).end_object();
}

void write_row(Writer& w, const ledger::Row& row, const KeyNames& keys,
               const gateway::RequestLife* life) {
  const ledger::Admission& a = row.admission;
  w.object()
      .member("request_id", a.request_id)
      .member("sequence", row.sequence)
      .member("attempt", a.attempt);
  w.member("state", row.settlement ? "settled" : "running").member("key_id", a.key_id);
  w.member("key_name", key_name(keys, a.key_id))
      .member("project", a.project)
      .member("workload", a.workload);
  w.member("dialect", a.dialect).member("model_requested", a.model_requested);
  w.member("model_served", a.model_served)
      .member("upstream", a.upstream)
      .member("stream", a.stream);
  member_time(w, "received_ms", a.received_unix_ns);
  member_time(w, "admitted_ms", a.admitted_unix_ns);
  w.member("prompt_tokens", a.prompt_tokens).member("max_output_tokens", a.max_output_tokens);
  if (row.settlement) write_settlement(w, a, *row.settlement);
  write_stages(w, life != nullptr ? life->stages : stages_of_row(row));
  w.end_object();
}

void write_life(Writer& w, const gateway::RequestLife& life, std::int64_t now_unix_ns) {
  w.object()
      .member("request_id", life.request_id)
      .member("state", life.ended ? "settled" : "running");
  w.member("stage", life.stage())
      .member("model_served", life.model_served)
      .member("key_name", life.key_name);
  w.member("dialect", life.dialect).member("workload", life.workload).member("stream", life.stream);
  member_time(w, "received_ms", life.stages.empty() ? 0 : life.stages.front().unix_ns);
  member_time(w, "first_token_ms", life.first_token_unix_ns);
  const std::int64_t ended = ended_unix_ns(life);
  member_time(w, "ended_ms", ended);
  w.member("prompt_tokens", life.prompt_tokens).member("cached_tokens", life.cached_tokens);
  w.member("output_tokens", life.output_tokens).key("tokens_per_second");
  const std::int64_t span = (ended != 0 ? ended : now_unix_ns) - life.first_token_unix_ns;
  if (life.first_token_unix_ns != 0 && span > 0 && life.output_tokens > 1) {
    w.value(static_cast<double>(life.output_tokens - 1) * 1e9 / static_cast<double>(span));
  } else {
    w.null();
  }
  w.key("end_reason");
  if (life.ended) {
    w.value(domain::end_reason_name(life.reason));
  } else {
    w.null();
  }
  w.end_object();
}

void write_key(Writer& w, const auth::KeyRecord& key) {
  w.object().member("id", key.id).member("name", key.name).member("hint", key.hint);
  w.member("role", key.role == auth::Role::Admin ? "admin" : "member")
      .member("project", key.project);
  w.member("workload", key.workload);
  member_time(w, "created_ms", key.created_unix_ns);
  member_time(w, "revoked_ms", key.revoked_unix_ns);
  w.end_object();
}

void write_model(Writer& w, const gateway::ServedModel& model) {
  static constexpr std::string_view kStates[] = {"stopped", "starting", "ready", "failed"};
  const engine::ModelInfo info = model.engine->info();
  const engine::EngineStatus status = model.engine->status();
  w.object().member("id", model.id).key("aliases").array();
  for (const std::string& alias : model.aliases) w.value(alias);
  w.end_array()
      .member("state", kStates[static_cast<std::size_t>(info.state)])
      .member("detail", info.detail);
  w.member("context_tokens", info.context_tokens).member("sequences_max", info.sequences_max);
  w.member("running", status.running)
      .member("queued", status.queued)
      .member("queue_max", status.queue_max);
  w.member("kv_tokens_used", status.kv_tokens_used).member("kv_tokens_max", status.kv_tokens_max);
  w.member("restarts", status.restarts).member("tools", info.tools).member("images", info.images);
  w.member("reasoning", info.reasoning).member("upstream", model.upstream);
  if (!model.facts_json.empty()) w.member_raw("facts", model.facts_json);
  w.end_object();
}

std::string_view usage_by_name(ledger::UsageBy by) {
  switch (by) {
    case ledger::UsageBy::Day: return "day";
    case ledger::UsageBy::Week: return "week";
    case ledger::UsageBy::Model: return "model";
    case ledger::UsageBy::Key: return "key";
    case ledger::UsageBy::Workload: return "workload";
  }
  return "day";
}

namespace {

// The requests of a group that was never compared with a model are missing in that model's sum.
void add_api_costs(const std::vector<ledger::UsageRow>& rows, ledger::UsageRow& total) {
  const auto place_of = [](const ledger::UsageRow& row, std::string_view model) {
    const auto it = std::ranges::find(row.api_costs, model, &ledger::ApiCost::model);
    return static_cast<std::size_t>(it - row.api_costs.begin());
  };
  for (const ledger::UsageRow& row : rows) {
    for (const ledger::ApiCost& cost : row.api_costs) {
      if (place_of(total, cost.model) < total.api_costs.size()) continue;
      total.api_costs.push_back({cost.model, std::nullopt});
    }
  }
  total.api_unpriced.assign(total.api_costs.size(), 0);
  for (const ledger::UsageRow& row : rows) {
    for (std::size_t at = 0; at < total.api_costs.size(); ++at) {
      ledger::ApiCost& sum = total.api_costs[at];
      const std::size_t i = place_of(row, sum.model);
      if (i == row.api_costs.size()) {
        total.api_unpriced[at] += row.cost_priced + row.cost_unpriced;
        continue;
      }
      if (i < row.api_unpriced.size()) total.api_unpriced[at] += row.api_unpriced[i];
      if (!row.api_costs[i].cost) continue;
      const auto added = domain::add(sum.cost.value_or(domain::MicroUsd{}), *row.api_costs[i].cost);
      if (added) sum.cost = *added;
    }
  }
}

}  // namespace

ledger::UsageRow usage_totals(const std::vector<ledger::UsageRow>& rows) {
  ledger::UsageRow total;
  for (const ledger::UsageRow& row : rows) {
    total.requests += row.requests;
    total.failed += row.failed;
    total.usage.input_uncached += row.usage.input_uncached;
    total.usage.cache_read += row.usage.cache_read;
    total.usage.cache_write_5m += row.usage.cache_write_5m;
    total.usage.cache_write_30m += row.usage.cache_write_30m;
    total.usage.cache_write_1h += row.usage.cache_write_1h;
    total.usage.output += row.usage.output;
    total.usage.reasoning += row.usage.reasoning;
    total.work.computed += row.work.computed;
    total.work.cached += row.work.cached;
    total.work.restored += row.work.restored;
    if (auto sum = domain::add(total.cost, row.cost)) total.cost = *sum;
    total.cost_priced += row.cost_priced;
    total.cost_unpriced += row.cost_unpriced;
  }
  add_api_costs(rows, total);
  return total;
}

std::string usage_json(const ledger::UsageQuery& query, const std::vector<ledger::UsageRow>& rows,
                       const KeyNames& keys) {
  Writer w;
  w.object().member("by", usage_by_name(query.by));
  member_time(w, "from_ms", query.from_unix_ns);
  member_time(w, "to_ms", query.to_unix_ns);
  w.key("rows").array();
  for (const ledger::UsageRow& row : rows) {
    w.object().member("group", row.group);
    if (query.by == ledger::UsageBy::Key) w.member("key_name", key_name(keys, row.group));
    write_usage_row(w, row);
    w.end_object();
  }
  w.end_array().key("totals").object();
  write_usage_row(w, usage_totals(rows));
  w.end_object().end_object();
  return w.take();
}

std::string usage_csv(const ledger::UsageQuery& query, const std::vector<ledger::UsageRow>& rows,
                      const KeyNames& keys) {
  const bool by_key = query.by == ledger::UsageBy::Key;
  std::string out(usage_by_name(query.by));
  if (by_key) out += ",key_name";
  out +=
      ",requests,failed,input_uncached,cache_read,cache_write,output,reasoning,computed,cached,"
      "restored,"
      "cost_usd,cost_unpriced";
  const ledger::UsageRow total = usage_totals(rows);
  for (const ledger::ApiCost& cost : total.api_costs) {
    out += ",\"same tokens at ";
    out += cost.model;
    out += ", USD\"";
  }
  out += "\r\n";
  for (const ledger::UsageRow& row : rows) {
    csv_cell(out, row.group);
    if (by_key) {
      out.push_back(',');
      csv_cell(out, key_name(keys, row.group));
    }
    const std::uint64_t numbers[] = {row.requests,
                                     row.failed,
                                     row.usage.input_uncached,
                                     row.usage.cache_read,
                                     row.usage.cache_write(),
                                     row.usage.output,
                                     row.usage.reasoning,
                                     row.work.computed,
                                     row.work.cached,
                                     row.work.restored};
    for (const std::uint64_t n : numbers) out += "," + std::to_string(n);
    out += ",";
    if (row.cost_priced > 0) out += domain::format_usd(row.cost);
    out += "," + std::to_string(row.cost_unpriced);
    for (const ledger::ApiCost& column : total.api_costs) {
      out += ",";
      const auto it = std::find_if(row.api_costs.begin(), row.api_costs.end(),
                                   [&](const auto& cost) { return cost.model == column.model; });
      if (it != row.api_costs.end() && it->cost) out += domain::format_usd(*it->cost);
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace fh::admin
