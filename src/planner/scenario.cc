// Reading a scenario file, and what a scenario knows of its inputs.
#include "planner/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "codec/toml.h"

namespace fh::planner {
namespace {

namespace toml = codec::toml;
using toml::Type;

constexpr std::string_view kStateKeys[] = {"value", "low", "high", "source", "date", "confidence"};

std::vector<std::string> schema_paths() {
  std::vector<std::string> paths;
  for (const InputSpec& spec : input_specs()) paths.push_back(spec.path());
  for (const AnswerSpec& spec : answer_specs()) {
    paths.push_back(std::string("readiness.") + spec.key);
  }
  return paths;
}

const std::vector<toml::Key>& schema() {
  static const std::vector<std::string> paths = schema_paths();
  static const std::vector<toml::Key> keys = [] {
    std::vector<toml::Key> out = {
        {"plan.days", Type::Int},
        {"plan.seed", Type::Int},
        {"plan.draws", Type::Int},
        {"replacement.models", Type::Strings},
        {"replacement.machines", Type::Strings},
        {"replacement.ttft_p95_ms", Type::Double},
        {"replacement.tpot_ms", Type::Double},
        {"replacement.weight_bits", Type::Double},
        {"replacement.prompt_token_ratio", Type::Double},
        {"replacement.output_token_ratio", Type::Double},
        {"workloads[].name", Type::String},
        {"workloads[].may_move", Type::Bool},
        {"workloads[].provider", Type::String},
        {"workloads[].model", Type::String},
        {"workloads[].workspace", Type::String},
        {"workloads[].key", Type::String},
        {"workloads[].application", Type::String},
        {"workloads[].workload", Type::String},
        {"workloads[].tier", Type::String},
        {"workloads[].prompt_tokens", Type::Double},
    };
    for (const std::string& path : paths) out.push_back({path, Type::Any});
    return out;
  }();
  return keys;
}

std::string text_of(toml::Value value) {
  return std::string(value.as_string().value_or(""));
}

// { value = ..., low = ..., ... }: the same care for unknown keys as the schema takes.
base::Status read_state(toml::Value table, double& value, InputState& state) {
  for (const auto& [key, member] : table.members()) {
    if (std::find(std::begin(kStateKeys), std::end(kStateKeys), key) == std::end(kStateKeys)) {
      const std::string_view near = toml::nearest(key, kStateKeys);
      return std::unexpected(member.error(
          near.empty() ? "is not known; an input has value, low, high, source, date, confidence"
                       : fmt::format("is not known; did you mean `{}`?", near)));
    }
    const bool number = key == "value" || key == "low" || key == "high";
    if (number != member.as_double().has_value()) {
      return std::unexpected(member.error(number ? "must be a number" : "must be a string"));
    }
  }
  const auto given = table["value"].as_double();
  if (!given) return std::unexpected(table.error("has no `value`"));
  value = *given;
  state.low = table["low"].as_double().value_or(value);
  state.high = table["high"].as_double().value_or(value);
  if (state.low > value || state.high < value) {
    return std::unexpected(table.error("must have low <= value <= high"));
  }
  if (table["source"].exists()) state.source = text_of(table["source"]);
  if (table["date"].exists()) state.date = text_of(table["date"]);
  if (table["confidence"].exists()) state.confidence = text_of(table["confidence"]);
  return {};
}

base::Status read_input(toml::Value given, const InputSpec& spec, Scenario& scenario,
                        std::size_t index) {
  if (!given.exists()) return {};
  double value = 0;
  InputState state{0, 0, "your scenario file", "", "high", Origin::User};
  if (given.is_table()) {
    FH_TRY_VOID(read_state(given, value, state));
  } else if (const auto number = given.as_double()) {
    value = state.low = state.high = *number;
  } else if (const auto flag = given.as_bool()) {
    value = state.low = state.high = *flag ? 1 : 0;
  } else {
    return std::unexpected(given.error("must be a number, or a table with `value`"));
  }
  if (state.low < state.high && takes_whole(spec)) {
    return std::unexpected(given.error("takes one value, not a range"));
  }
  if (!std::isfinite(value) || state.low < spec.at_least || state.high > spec.at_most) {
    return std::unexpected(
        given.error(fmt::format("must be {} to {} ({})", spec.at_least, spec.at_most, spec.unit)));
  }
  if (takes_whole(spec) && value != std::floor(value)) {
    return std::unexpected(given.error(fmt::format("must be a whole number ({})", spec.unit)));
  }
  spec.at(scenario.money) = value;
  scenario.inputs[index] = std::move(state);
  return {};
}

base::Status read_answer(toml::Value given, Answer& out) {
  if (!given.exists()) return {};
  if (const auto flag = given.as_bool()) {
    out = *flag ? Answer::Yes : Answer::No;
    return {};
  }
  const std::string text = text_of(given);
  if (text == "yes" || text == "no" || text == "unknown") {
    out = text == "yes" ? Answer::Yes : text == "no" ? Answer::No : Answer::Unknown;
    return {};
  }
  return std::unexpected(given.error("must be \"yes\", \"no\" or \"unknown\""));
}

template <typename T>
base::Status take(toml::Value given, double low, double high, T& out) {
  const auto number = given.as_double();
  if (!number) return {};
  if (!(*number >= low && *number <= high)) {
    return std::unexpected(given.error(fmt::format("must be {} to {}", low, high)));
  }
  out = static_cast<T>(*number);
  return {};
}

base::Status read_workloads(toml::Value list, Scenario& scenario) {
  for (const toml::Value item : list.elements()) {
    WorkloadRule rule;
    rule.name = text_of(item["name"]);
    if (rule.name.empty()) return std::unexpected(item.error("has no `name`"));
    rule.provider = text_of(item["provider"]);
    rule.model = text_of(item["model"]);
    rule.workspace = text_of(item["workspace"]);
    rule.key = text_of(item["key"]);
    rule.application = text_of(item["application"]);
    rule.workload = text_of(item["workload"]);
    rule.tier = text_of(item["tier"]);
    WorkloadWish wish{rule.name, item["may_move"].as_bool().value_or(true), 0};
    FH_TRY_VOID(take(item["prompt_tokens"], 1, 10'000'000, wish.prompt_tokens));
    scenario.workloads.push_back(std::move(wish));
    if (rule.provider.empty() && rule.model.empty() && rule.workspace.empty() && rule.key.empty() &&
        rule.application.empty() && rule.workload.empty() && rule.tier.empty()) {
      rule.workload = rule.name;  // a wish about a workload that the data names itself
    }
    scenario.rules.push_back(std::move(rule));
  }
  return {};
}

base::Status read_all(toml::Value root, Scenario& scenario) {
  const std::vector<InputSpec>& specs = input_specs();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    FH_TRY_VOID(read_input(root[specs[i].section][specs[i].key], specs[i], scenario, i));
  }
  for (const AnswerSpec& spec : answer_specs()) {
    FH_TRY_VOID(read_answer(root["readiness"][spec.key], scenario.readiness.*spec.at));
  }
  const toml::Value replacement = root["replacement"];
  Replacement& out = scenario.replacement;
  if (auto models = replacement["models"].as_strings()) out.models = *std::move(models);
  if (auto machines = replacement["machines"].as_strings()) out.machines = *std::move(machines);
  FH_TRY_VOID(take(replacement["ttft_p95_ms"], 1, 3'600'000, out.ttft_p95_ms));
  FH_TRY_VOID(take(replacement["tpot_ms"], 0.1, 60'000, out.tpot_ms));
  FH_TRY_VOID(take(replacement["weight_bits"], 4, 16, out.weight_bits));
  FH_TRY_VOID(take(replacement["prompt_token_ratio"], 0.1, 10, out.prompt_token_ratio));
  FH_TRY_VOID(take(replacement["output_token_ratio"], 0.1, 10, out.output_token_ratio));
  FH_TRY_VOID(take(root["plan"]["days"], 1, 3'660, scenario.days));
  FH_TRY_VOID(take(root["plan"]["seed"], 0, 4'294'967'295.0, scenario.seed));
  FH_TRY_VOID(take(root["plan"]["draws"], 100, 100'000, scenario.draws));
  return read_workloads(root["workloads"], scenario);
}

base::Error in_file(const std::string& name, const base::Error& error) {
  base::Error out = error;
  out.code = base::Code::InvalidArgument;
  out.message = name + ": " + error.message;
  if (out.hint.empty()) {
    out.hint = "freehold plan --write-inputs FILE writes a file with every key; docs/plan.md";
  }
  return out;
}

base::Status wrong(const char* key, std::string what) {
  return base::fail_field(key, fmt::format("`{}` {}", key, what));
}

}  // namespace

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::Default: return "default";
    case Origin::Data: return "data";
    case Origin::User: return "user";
  }
  return "default";
}

bool takes_whole(const InputSpec& spec) {
  constexpr std::string_view kWhole[] = {"horizon_months", "despite_gap", "spills",
                                         "nodes_min",      "spare_nodes", "gpus_per_node"};
  return std::find(std::begin(kWhole), std::end(kWhole), spec.key) != std::end(kWhole);
}

std::optional<std::size_t> input_index(std::string_view name) {
  const std::vector<InputSpec>& specs = input_specs();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return i;
  }
  return std::nullopt;
}

Scenario::Scenario() {
  for (const InputSpec& spec : input_specs()) {
    inputs.push_back(
        {spec.low, spec.high, spec.source, spec.date, spec.confidence, Origin::Default});
  }
}

double Scenario::value(std::string_view input) const {
  const auto index = input_index(input);
  FH_CHECK(index.has_value());
  MoneyInputs copy = money;
  return input_specs()[*index].at(copy);
}

bool Scenario::by_user(std::string_view input) const {
  const auto index = input_index(input);
  FH_CHECK(index.has_value());
  return inputs[*index].origin == Origin::User;
}

bool Scenario::states_bill() const {
  return by_user("bill_list_usd_month") || by_user("own_moved_usd_month") ||
         by_user("hybrid_moved_usd_month") || by_user("rent_moved_usd_month");
}

void Scenario::learn(std::string_view input, double value, InputState state) {
  const auto index = input_index(input);
  FH_CHECK(index.has_value());
  if (inputs[*index].origin == Origin::User) return;
  const InputSpec& spec = input_specs()[*index];
  spec.at(money) = std::clamp(value, spec.at_least, spec.at_most);
  state.origin = Origin::Data;
  inputs[*index] = std::move(state);
}

void Scenario::learn_exact(std::string_view input, double value, std::string source,
                           std::string date, std::string confidence) {
  learn(input, value,
        {value, value, std::move(source), std::move(date), std::move(confidence), Origin::Data});
}

const WorkloadWish* Scenario::wish(std::string_view workload) const {
  for (const WorkloadWish& wish : workloads) {
    if (wish.name == workload) return &wish;
  }
  return nullptr;
}

bool Scenario::may_move(std::string_view workload) const {
  const WorkloadWish* found = wish(workload);
  return found == nullptr || found->may_move;
}

base::Result<Scenario> parse_scenario(std::string_view text, std::string name) {
  Scenario scenario;
  scenario.name = name;
  base::Result<toml::File> file = toml::File::parse(text);
  if (!file) return std::unexpected(in_file(name, file.error()));
  if (base::Status checked = file->check(schema()); !checked) {
    return std::unexpected(in_file(name, checked.error()));
  }
  if (base::Status read = read_all(file->root(), scenario); !read) {
    return std::unexpected(in_file(name, read.error()));
  }
  return scenario;
}

base::Status validate(const Scenario& scenario) {
  MoneyInputs money = scenario.money;
  for (const InputSpec& spec : input_specs()) {
    const double value = spec.at(money);
    if (!(value >= spec.at_least && value <= spec.at_most)) {
      return base::fail_field(
          spec.path(), fmt::format("`{}` is {}; it must be {} to {} ({})", spec.path(), value,
                                   spec.at_least, spec.at_most, spec.unit));
    }
    if (takes_whole(spec) && value != std::floor(value)) {
      return base::fail_field(spec.path(), fmt::format("`{}` is {}; it must be a whole number ({})",
                                                       spec.path(), value, spec.unit));
    }
  }
  if (money.horizon_months > money.depreciation_years * 12) {
    return wrong("account.horizon_months",
                 "must not be longer than the life of the hardware (hardware.depreciation_years): "
                 "what replaces it is not in the account");
  }
  if (money.load_draw_share < money.idle_draw_share) {
    return wrong("site.load_draw_share", "must not be less than site.idle_draw_share");
  }
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    const OptionInputs& o = option_inputs(money, option);
    if (o.moved_usd_month > money.bill_list_usd_month * (1 + 1e-9)) {
      return base::fail_field(
          std::string(option_name(option)) + ".moved_usd_month",
          fmt::format("`{}.moved_usd_month` must not be more than bill.bill_list_usd_month",
                      option_name(option)));
    }
    if (o.nodes_min > 0 && (o.node_mtok_month <= 0 || o.utilisation <= 0)) {
      return base::fail_field(std::string(option_name(option)) + ".node_mtok_month",
                              fmt::format("`{0}.node_mtok_month` and `{0}.utilisation` must be "
                                          "more than 0 when {0}.nodes_min is",
                                          option_name(option)));
    }
  }
  return {};
}

}  // namespace fh::planner
