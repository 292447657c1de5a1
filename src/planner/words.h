#pragma once
// Numbers as words, the same in every output; console/src/plan/words.ts writes them the same way.
//
// Threads: pure functions.

#include <cstdint>
#include <string>

namespace fh::planner {

std::string money_text(double usd);       // "$1.2M", "$48k", "$640"
std::string dollars_text(double usd);     // "$226,000": whole dollars with thousands marks
std::string count_text(std::uint64_t n);  // "1,396,230"
std::string month_text(double month);     // "month 19", "never"

}  // namespace fh::planner
