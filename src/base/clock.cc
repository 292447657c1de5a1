#include "base/clock.h"

#include <fmt/format.h>

#include <ctime>

namespace fh::base {

TimePoint SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

std::int64_t SystemClock::unix_ns() const {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

namespace {

// Rounds down, so that a time before 1970 is not shown a second late.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0);
}

std::tm utc(std::int64_t unix_ns) {
  const std::time_t seconds = floor_div(unix_ns, 1'000'000'000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return tm;
}

}  // namespace

std::string format_rfc3339(std::int64_t unix_ns) {
  const std::tm tm = utc(unix_ns);
  const std::int64_t ms = floor_div(unix_ns, 1'000'000);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ms - floor_div(ms, 1000) * 1000);
}

std::string format_date(std::int64_t unix_ns) {
  const std::tm tm = utc(unix_ns);
  return fmt::format("{:04}-{:02}-{:02}", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

}  // namespace fh::base
