#pragma once
// The verdict in words: own, rent, hybrid or stay, why, and what would have to be true for another
// answer. The choice itself is money.h's; this says it, staying first when that is the honest
// answer, and refuses while too much of the bill is unexplained.
//
// Threads: pure function.

#include <string>
#include <vector>

#include "planner/money.h"
#include "planner/scenario.h"
#include "planner/sensitivity.h"
#include "planner/words.h"

namespace fh::planner {

struct Verdict {
  Option choice = Option::Stay;
  bool refused = false;
  std::string word;                   // "stay", "own", "hybrid", "rent", "no advice"
  std::string headline;               // one sentence
  std::vector<std::string> reasons;   // at most five sentences
  std::vector<std::string> flips;     // "API prices +62 %: hybrid"
  std::vector<std::string> cautions;  // what the numbers do not know
};

// What was found out on the way, as sentences and their parts.
struct Findings {
  std::string reconciled;  // the reconciliation's own sentence
  std::string no_machine;  // why no machine carries the work, where none does
};
Verdict decide(const Scenario& scenario, const Money& money, const Sensitivity& sensitivity,
               const Findings& findings);

// Cash came back within the horizon and is gone at its end, as when API prices fall on.
bool loses_again(const OptionMoney& option);
std::string flip_text(const Flip& flip);  // "API prices +62 % -> hybrid"

}  // namespace fh::planner
