// The plan as JSON, schema "freehold.plan/1" (docs/formats/plan-json.md): everything that the page
// and other programs need to show it and to compute the money again with other inputs.
#include <fmt/format.h>

#include "codec/json.h"
#include "planner/plan.h"

namespace fh::planner {
namespace {

using codec::json::Writer;

struct RowMember {
  const char* name;
  double MonthRow::* value;
};
constexpr RowMember kRowMembers[] = {
    {"month", &MonthRow::month},
    {"active", &MonthRow::active},
    {"load", &MonthRow::load},
    {"price", &MonthRow::price},
    {"work_nodes", &MonthRow::work_nodes},
    {"fits", &MonthRow::fits},
    {"down", &MonthRow::down},
    {"served", &MonthRow::served},
    {"nodes", &MonthRow::nodes},
    {"bought", &MonthRow::bought},
    {"capex_hardware", &MonthRow::capex_hardware},
    {"capex_other", &MonthRow::capex_other},
    {"one_off", &MonthRow::one_off},
    {"on", &MonthRow::on},
    {"moved", &MonthRow::moved},
    {"own_mtok", &MonthRow::own_mtok},
    {"busy", &MonthRow::busy},
    {"api_failover", &MonthRow::api_failover},
    {"api_used", &MonthRow::api_used},
    {"api_due", &MonthRow::api_due},
    {"api_cash", &MonthRow::api_cash},
    {"credits_left", &MonthRow::credits_left},
    {"seats", &MonthRow::seats},
    {"power", &MonthRow::power},
    {"site", &MonthRow::site},
    {"network", &MonthRow::network},
    {"support", &MonthRow::support},
    {"software", &MonthRow::software},
    {"staff", &MonthRow::staff},
    {"rent", &MonthRow::rent},
    {"outage", &MonthRow::outage},
    {"running", &MonthRow::running},
    {"cum_hardware", &MonthRow::cum_hardware},
    {"cum_other", &MonthRow::cum_other},
    {"depreciation", &MonthRow::depreciation},
    {"book_hardware", &MonthRow::book_hardware},
    {"resale", &MonthRow::resale},
    {"cash", &MonthRow::cash},
    {"cum_cash", &MonthRow::cum_cash},
    {"saved", &MonthRow::saved},
    {"pays_back", &MonthRow::pays_back},
    {"pnl", &MonthRow::pnl},
    {"discount", &MonthRow::discount},
    {"present", &MonthRow::present},
    {"fleet_present", &MonthRow::fleet_present},
};

void strings(Writer& w, const char* name, const std::vector<std::string>& list) {
  w.key(name).array();
  for (const std::string& text : list) w.value(text);
  w.end_array();
}

void optional_member(Writer& w, const char* name, const std::optional<double>& value) {
  if (value) {
    w.member(name, *value);
  } else {
    w.member_null(name);
  }
}

void month_member(Writer& w, const char* name, double month) {
  if (month < kNever) {
    w.member(name, month);
  } else {
    w.member_null(name);
  }
}

void tokens_member(Writer& w, const ClassTotals& tokens) {
  w.key("tokens").object();
  w.member("input_uncached", tokens.input_uncached).member("cache_read", tokens.cache_read);
  w.member("cache_write_5m", tokens.cache_write_5m);
  w.member("cache_write_30m", tokens.cache_write_30m);
  w.member("cache_write_1h", tokens.cache_write_1h);
  w.member("output", tokens.output).end_object();
}

// In the order of the table: the order in which the sampling counts inputs with a range.
void write_inputs(Writer& w, const Scenario& scenario) {
  w.key("inputs").array();
  MoneyInputs money = scenario.money;
  const std::vector<InputSpec>& specs = input_specs();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const InputSpec& spec = specs[i];
    const InputState& state = scenario.inputs[i];
    w.object().member("name", spec.name).member("section", spec.section).member("key", spec.key);
    w.member("label", spec.label).member("unit", spec.unit).member("value", spec.at(money));
    w.member("low", state.low).member("high", state.high);
    w.member("at_least", spec.at_least).member("at_most", spec.at_most);
    w.member("source", state.source).member("date", state.date);
    w.member("confidence", state.confidence).member("from", origin_name(state.origin));
    w.end_object();
  }
  w.end_array();
}

void write_usage(Writer& w, const Plan& plan) {
  const UsageProfile& profile = plan.profile;
  w.key("usage").object();
  w.member("days", plan.usage_days).member("days_active", profile.days_active);
  w.member("first_day", date_text(profile.first_day));
  w.member("last_day", date_text(profile.last_day));
  w.member("requests", profile.requests).member("price_version", profile.price_version);
  w.member("prefix_reuse_share", profile.prefix_reuse_share);
  optional_member(w, "trend_per_month", profile.trend_per_month);
  w.member("unpriced_tokens", profile.unpriced_tokens);
  tokens_member(w, profile.tokens);
  w.key("workloads").array();
  for (const WorkloadPlan& workload : plan.workloads) {
    w.object().member("name", workload.name).member("may_move", workload.may_move);
    w.member("requests", workload.requests);
    w.member("requests_estimated", workload.requests_estimated);
    w.member("usd_month", workload.usd_month);
    w.member("mtok_month", workload.mtok_month);
    strings(w, "models", workload.models);
    tokens_member(w, workload.tokens);
    w.end_object();
  }
  w.end_array().key("days_by_workload").array();
  std::map<std::pair<std::int32_t, std::uint32_t>, double> days;
  for (const UsageLine& line : plan.usage) days[{line.day, line.workload}] += line.usd;
  for (const auto& [key, usd] : days) {
    w.object().member("day", date_text(key.first));
    w.member("workload", plan.workloads[key.second].name).member("usd", usd).end_object();
  }
  w.end_array().end_object();
}

double usd(std::int64_t micro) {
  return static_cast<double>(micro) / 1e6;
}

// One line of the comparison: a model's, or a model's of one day.
void write_gap(Writer& w, const ReconcileRow& row, bool at_list, bool with_day) {
  const GapLine gap = gap_of(row, at_list);
  w.object();
  if (with_day) w.member("day", date_text(row.day));
  w.member("model", row.model).member("charged_usd", usd(row.charged.value));
  w.member("listed_usd", usd(row.listed.value));
  w.member("computed_low_usd", usd(row.computed.low.value));
  w.member("computed_high_usd", usd(row.computed.high.value));
  w.member("gap_usd", usd(gap.money)).member("tokens_used", row.tokens_used);
  optional_member(w, "tokens_charged", row.tokens_charged);
  optional_member(w, "gap_tokens", gap.tokens);
  w.member("gap_tokens_counted", gap.tokens_counted);
  w.member("used", row.usage_seen).member("charged", row.charge_seen).end_object();
}

void write_unmatched(Writer& w, const char* key, const std::vector<UnmatchedItem>& items) {
  w.key(key).array();
  for (const UnmatchedItem& item : items) {
    w.object().member("day", date_text(item.day)).member("model", item.model);
    w.member("item", item.item).member("why", item.why);
    w.member("usd", usd(item.amount.value)).member("charged", item.charged).end_object();
  }
  w.end_array();
}

void write_reconciliation(Writer& w, const ReconcileReport& report) {
  w.key("reconciliation").object();
  w.member("evidence", report.evidence).member("advice_allowed", report.advice_allowed);
  w.member("unexplained_share", report.unexplained_share);
  w.member("charged_usd", static_cast<double>(report.charged.value) / 1e6);
  w.member("at_list", report.at_list);
  w.member("listed_usd", static_cast<double>(report.listed.value) / 1e6);
  w.member("computed_low_usd", static_cast<double>(report.computed.low.value) / 1e6);
  w.member("computed_high_usd", static_cast<double>(report.computed.high.value) / 1e6);
  w.member("other_charged_usd", static_cast<double>(report.other_charged.value) / 1e6);
  w.member("gap_usd", usd(report.gap)).member("summary", report.summary).key("models").array();
  for (const ReconcileRow& row : report.models) write_gap(w, row, report.at_list, false);
  w.end_array().key("days").array();
  for (const ReconcileRow& row : report.rows) write_gap(w, row, report.at_list, true);
  w.end_array();
  write_unmatched(w, "unmatched", report.unmatched);
  write_unmatched(w, "other_charges", report.other_charges);
  w.end_object();
}

void write_pick(Writer& w, const Plan& plan, const OptionPick& pick) {
  if (!pick.found) {
    w.member_null("machines");
    return;
  }
  w.key("machines").object();
  w.member("machine", pick.machine).member("machine_name", pick.machine_name);
  w.member("count", pick.machines).member("spare", pick.spare);
  w.member("model", pick.model).member("model_name", pick.model_name);
  w.member("precision", pick.precision).member("token_share", pick.token_share);
  w.member("utilisation_peak", pick.utilisation_peak).member("ttft_p95_ms", pick.ttft_p95_ms);
  w.member("tpot_ms", pick.tpot_ms).member("sessions_live", pick.sessions_live);
  w.member("accuracy", pick.accuracy).key("busy_by_hour").array();
  for (const double busy : pick.busy_by_hour) w.value(busy);
  w.end_array().key("workloads").array();
  for (const std::uint32_t at : pick.workloads) w.value(plan.workloads[at].name);
  w.end_array().end_object();
}

void write_option(Writer& w, const Plan& plan, const OptionMoney& money) {
  w.object().member("option", option_name(money.option));
  w.member("title", option_title(money.option)).member("available", money.available);
  write_pick(w, plan, plan.picks[static_cast<std::size_t>(money.option)]);
  w.member("cash_usd", money.cash_usd).member("pnl_usd", money.pnl_usd);
  w.member("npv_usd", money.npv_usd).member("fleet_npv_usd", money.fleet_npv_usd);
  w.member("saved_npv_usd", money.saved_npv_usd).member("qualifies", money.qualifies);
  month_member(w, "break_even_month", money.break_even_month);
  const AllIn& all = money.all_in;
  w.key("all_in_month").object().member("capital", all.capital).member("power", all.power);
  w.member("site", all.site).member("network", all.network).member("support", all.support);
  w.member("software", all.software).member("staff", all.staff).member("rent", all.rent);
  w.member("outage", all.outage);
  w.member("total", all.total)
      .member("mtok", all.mtok)
      .member("usd_per_mtok", all.usd_per_mtok)
      .end_object();
  const BillMonth& bill = money.bill_month;
  w.key("bill_month").object().member("list", bill.list).member("discount", bill.discount);
  w.member("paid", bill.paid).member("served", bill.served).member("failover", bill.failover);
  w.member("avoidable", bill.avoidable).member("due_anyway", bill.due_anyway).end_object();
  const OptionSpread& spread = plan.sensitivity.spread[static_cast<std::size_t>(money.option)];
  w.key("sampled").object();
  month_member(w, "break_even_p10", spread.break_even_month.p10);
  month_member(w, "break_even_p50", spread.break_even_month.p50);
  month_member(w, "break_even_p90", spread.break_even_month.p90);
  w.member("saved_p10_usd", spread.saved_npv_usd.p10);
  w.member("saved_p50_usd", spread.saved_npv_usd.p50);
  w.member("saved_p90_usd", spread.saved_npv_usd.p90);
  w.member("share_break_even", spread.share_break_even);
  w.member("share_best", spread.share_best).end_object();
  w.key("months").object();
  for (const RowMember& member : kRowMembers) {
    w.key(member.name).array();
    for (const MonthRow& row : money.months) w.value(row.*member.value);
    w.end_array();
  }
  w.end_object().end_object();
}

void write_sensitivity(Writer& w, const Sensitivity& sensitivity) {
  w.key("sensitivity").object().member("focus", option_name(sensitivity.focus));
  w.member("seed", sensitivity.seed).member("draws", sensitivity.draws);
  w.key("tornado").array();
  for (const TornadoBar& bar : sensitivity.tornado) {
    w.object().member("input", bar.input).member("low", bar.low).member("high", bar.high);
    w.member("saved_at_low", bar.saved_at_low).member("saved_at_high", bar.saved_at_high);
    w.member("best_at_low", option_name(bar.best_at_low));
    w.member("best_at_high", option_name(bar.best_at_high)).end_object();
  }
  w.end_array().key("flips").array();
  for (const Flip& flip : sensitivity.flips) {
    w.object().member("input", flip.input).member("label", flip.label).member("unit", flip.unit);
    w.member("now", flip.now).member("found", flip.found);
    optional_member(w, "value", flip.found ? std::optional(flip.value) : std::nullopt);
    w.member("to", option_name(flip.to)).member("searched_low", flip.searched_low);
    w.member("searched_high", flip.searched_high).member("reading", flip.reading).end_object();
  }
  w.end_array().end_object();
}

std::string_view answer_name(Answer answer) {
  switch (answer) {
    case Answer::Yes: return "yes";
    case Answer::No: return "no";
    case Answer::Unknown: break;
  }
  return "unknown";
}

void write_readiness(Writer& w, const Plan& plan) {
  const ReadinessReport& report = plan.readiness;
  w.key("readiness").object().member("summary", report.summary).key("answers").object();
  for (const AnswerSpec& spec : answer_specs()) {
    w.member(spec.key, answer_name(plan.scenario.readiness.*spec.at));
  }
  w.end_object().key("questions").array();
  for (const ReadinessItem& item : report.items) {
    w.object().member("key", item.key).member("question", item.question);
    w.member("state", readiness_name(item.state)).member("evidence", item.evidence);
    strings(w, "missing", item.missing);
    w.end_object();
  }
  w.end_array().end_object();
}

void write_verdict(Writer& w, const Verdict& verdict) {
  w.key("verdict").object().member("word", verdict.word).member("refused", verdict.refused);
  w.member("headline", verdict.headline);
  strings(w, "reasons", verdict.reasons);
  strings(w, "flips", verdict.flips);
  strings(w, "cautions", verdict.cautions);
  w.end_object();
}

void write_facts(Writer& w, const Plan& plan) {
  w.key("prices").array();
  for (const PriceLine& line : plan.prices) {
    w.object().member("id", line.id).member("name", line.name).member("as_of", line.as_of);
    w.member("confidence", line.confidence).member("source", line.source);
    w.member("since", line.period_from);
    optional_member(w, "input", line.input);
    optional_member(w, "cache_read", line.cache_read);
    optional_member(w, "cache_write", line.cache_write_5m);
    optional_member(w, "cache_write_1h", line.cache_write_1h);
    optional_member(w, "output", line.output);
    w.end_object();
  }
  w.end_array().key("considered").array();
  for (const Considered& one : plan.considered) {
    w.object().member("model", one.model).member("precision", one.precision);
    w.member("machine", one.machine).member("fits", one.fits).member("why_not", one.why_not);
    w.member("machines_peak", one.machines_peak).member("machines_floor", one.machines_floor);
    w.member("prefill_tok_s", one.prefill_tok_s).member("decode_tok_s", one.decode_tok_s);
    w.member("decode_tok_s_alone", one.decode_tok_s_alone);
    w.member("processed_tok_s", one.processed_tok_s);
    w.member("sessions_p50", one.sessions_p50).member("sessions_p95", one.sessions_p95);
    w.member("ttft_p95_ms", one.ttft_p95_ms).member("tpot_ms", one.tpot_ms);
    w.member("utilisation_peak", one.utilisation_peak);
    w.member("utilisation_mean", one.utilisation_mean);
    w.member("accuracy", one.accuracy).end_object();
  }
  w.end_array().key("sources").array();
  for (const Source& source : plan.catalogue->sources()) {
    w.object().member("key", source.key).member("title", source.title);
    w.member("address", source.address).end_object();
  }
  w.end_array();
  strings(w, "notes", plan.notes);
  w.member("no_machine", plan.no_machine);
}

}  // namespace

std::string plan_json(const Plan& plan) {
  Writer w;
  w.object().member("schema", "freehold.plan/1").member("example", plan.example);
  w.member("date", date_text(plan.today)).member("evidence", plan.evidence);
  write_verdict(w, plan.verdict);
  write_reconciliation(w, plan.reconciliation);
  write_usage(w, plan);
  write_inputs(w, plan.scenario);
  w.key("options").array();
  for (const OptionMoney& option : plan.money.options) write_option(w, plan, option);
  w.end_array();
  write_sensitivity(w, plan.sensitivity);
  write_readiness(w, plan);
  write_facts(w, plan);
  w.end_object();
  return w.take();
}

}  // namespace fh::planner
