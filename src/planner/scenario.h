#pragma once
// The scenario: every input of a plan with its unit, range, source, date and confidence, whoever it
// came from: the defaults of this file's table, the user's own usage and the capacity estimate, or
// the user's scenario file. The table is the one place where an input is described; the scenario
// file, its template, the workbook's sheet Inputs, the JSON and the sensitivity all read it.
//
// The scenario file is TOML (docs/plan.md). A number may be written plainly, and is then certain,
// or as { value = 0.135, low = 0.11, high = 0.20, source = "our utility bill", date =
// "2026-10-01" }. An unknown key is an error with its line and the nearest known key. What the user
// wrote always wins over what was learned from data.
//
// Threads: plain values; the table is immutable.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "planner/money.h"

namespace fh::planner {

struct InputSpec {
  const char* section;  // of the scenario file
  const char* key;
  std::string name;  // unique; defined name of the workbook and key of the JSON: "own_spare_nodes"
  std::string label;
  const char* unit;
  double low, high;          // default range of the sensitivity; equal: not varied
  double at_least, at_most;  // bounds of what may be written
  const char* source;        // keys of the catalogue's sources, or words
  const char* date;
  const char* confidence;  // "high", "medium", "low"
  double& (*at)(MoneyInputs&);
  std::string path() const { return std::string(section) + "." + key; }
};
const std::vector<InputSpec>& input_specs();
// Machines, switches and the horizon: between two whole numbers there is nothing, so they take no
// range either.
bool takes_whole(const InputSpec& spec);
// Position in input_specs(); nullopt: there is none.
std::optional<std::size_t> input_index(std::string_view name);

enum class Origin : std::uint8_t { Default, Data, User };
std::string_view origin_name(Origin origin);  // "default", "data", "user"

struct InputState {
  double low = 0, high = 0;
  std::string source, date, confidence;
  Origin origin = Origin::Default;
};

// The first rule that fits names the workload of a record; an empty field fits everything.
struct WorkloadRule {
  std::string name;
  std::string provider, model, workspace, key, application, workload, tier;
};

struct WorkloadWish {
  std::string name;
  bool may_move = true;  // false: stays on the API whatever it costs
  // Of a request, for sources that count none; 0: a typical length is assumed and said.
  double prompt_tokens = 0;
};

// An answer to one of the readiness questions that no data holds.
enum class Answer : std::uint8_t { Unknown, Yes, No };

struct ReadinessAnswers {
  Answer platform_team = Answer::Unknown;
  Answer capital = Answer::Unknown;
  Answer rack = Answer::Unknown, power = Answer::Unknown, cooling = Answer::Unknown;
  Answer network = Answer::Unknown, space = Answer::Unknown;
  Answer engineers_deploy = Answer::Unknown, engineers_monitor = Answer::Unknown;
  Answer engineers_patch = Answer::Unknown;
  Answer production = Answer::Unknown;
};
struct AnswerSpec {
  const char* key;
  const char* question;
  Answer ReadinessAnswers::* at;
};
const std::vector<AnswerSpec>& answer_specs();

struct Replacement {
  std::vector<std::string> models;    // catalogue ids; empty: chosen by the class of the API models
  std::vector<std::string> machines;  // machine ids; empty: all that have a price
  double ttft_p95_ms = 5'000, tpot_ms = 50;
  double weight_bits = 8;  // least that its weights may have, where the card runs any so fine
  double prompt_token_ratio = 1, output_token_ratio = 1;
};

struct Scenario {
  Scenario();  // the defaults

  MoneyInputs money;
  std::vector<InputState> inputs;  // as input_specs()
  std::vector<WorkloadRule> rules;
  std::vector<WorkloadWish> workloads;
  Replacement replacement;
  ReadinessAnswers readiness;
  std::uint32_t days = 92;  // of usage that count, the newest: a quarter
  std::uint64_t seed = 1;
  std::uint32_t draws = 2'000;
  std::string name;  // of the file, for people; empty: defaults only

  double value(std::string_view input) const;
  bool by_user(std::string_view input) const;
  // The user wrote the bill, or what an option moves of it: enough to plan without usage.
  bool states_bill() const;
  // From data: nothing happens when the user has written the input. `input` must exist.
  void learn(std::string_view input, double value, InputState state);
  // As learn(), with the range equal to the value.
  void learn_exact(std::string_view input, double value, std::string source, std::string date,
                   std::string confidence);
  const WorkloadWish* wish(std::string_view workload) const;  // nullptr: none was written
  bool may_move(std::string_view workload) const;
};

// InvalidArgument with line and key.
base::Result<Scenario> parse_scenario(std::string_view toml, std::string name);
// Bounds of every input and what must hold between them; the field of the error is the key.
base::Status validate(const Scenario& scenario);
// A scenario file with every key, its default, unit, range and source; parse_scenario() of it gives
// the defaults.
std::string scenario_template();

}  // namespace fh::planner
