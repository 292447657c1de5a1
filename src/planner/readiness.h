#pragma once
// Readiness: whether the company could run what the money advises. Five questions; what the usage
// shows is answered from it, what it cannot show is asked in the scenario file, and what is missing
// is said plainly. Readiness never changes the money.
//
// Threads: pure function.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/money.h"
#include "planner/scenario.h"

namespace fh::planner {

enum class Readiness : std::uint8_t { Yes, No, Unknown };
std::string_view readiness_name(Readiness readiness);  // "yes", "no", "not known"

// What the usage says about the questions.
struct UsageEvidence {
  std::uint32_t days_covered = 0, days_active = 0;
  std::uint64_t requests = 0;
  bool requests_known = false;
  std::optional<double> trend_per_month;
  double annualised_usd = 0;
};

struct ReadinessItem {
  std::string key;       // "team", "site", "engineers", "production", "spend"
  std::string question;  // "A platform team of your own"
  Readiness state = Readiness::Unknown;
  std::string evidence;              // one sentence, with the numbers
  std::vector<std::string> missing;  // "power: not answered", "cooling: no"
};

struct ReadinessReport {
  std::vector<ReadinessItem> items;  // five
  std::uint32_t yes = 0, no = 0, unknown = 0;
  std::string summary;  // one sentence
};

// `focus` is the option that the machines are those of; Stay when there is none.
ReadinessReport assess(const ReadinessAnswers& answers, const UsageEvidence& usage,
                       const MoneyInputs& inputs, const OptionMoney& focus);

// Below this a year, what is saved does not pay an engineer (published experience of a large
// gateway).
inline constexpr double kSpendEnoughUsd = 500'000;
inline constexpr std::uint32_t kDaysEnough = 30;

}  // namespace fh::planner
