// See words.h.
#include "planner/words.h"

#include <fmt/format.h>

#include <cmath>

#include "planner/money.h"

namespace fh::planner {

std::string money_text(double usd) {
  const char* sign = usd < 0 ? "-" : "";
  const double size = std::abs(usd);
  if (size >= 9'950'000) return fmt::format("{}${:.0f}M", sign, size / 1e6);
  if (size >= 999'500) return fmt::format("{}${:.1f}M", sign, size / 1e6);
  if (size >= 9'950) return fmt::format("{}${:.0f}k", sign, size / 1e3);
  if (size >= 999.5) return fmt::format("{}${:.1f}k", sign, size / 1e3);
  return fmt::format("{}${:.0f}", sign, size);
}

namespace {

std::string marked(std::string digits) {
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace

std::string count_text(std::uint64_t n) {
  return marked(std::to_string(n));
}

std::string dollars_text(double usd) {
  const std::string digits = marked(fmt::format("{:.0f}", std::abs(usd)));
  return (usd < 0 && digits != "0" ? "-$" : "$") + digits;
}

std::string month_text(double month) {
  return month >= kNever ? std::string("never") : fmt::format("month {:.0f}", month);
}

}  // namespace fh::planner
