#pragma once
// Time as a seam: production uses SystemClock, the simulation a ManualClock. `now` is monotonic and
// for durations and deadlines; `unix_ns` is wall time in UTC for records and price dates.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace fh::base {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual std::int64_t unix_ns() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t unix_ns() const override;
};

// Starts at 2026-01-01T00:00:00Z; moves only when told. Any thread may read.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(mono_ns_.load())); }
  std::int64_t unix_ns() const override { return kEpochNs + mono_ns_.load(); }
  void advance(Duration d) { mono_ns_ += d.count(); }
  void advance_to(TimePoint t) {
    mono_ns_ = std::chrono::duration_cast<Duration>(t.time_since_epoch()).count();
  }

 private:
  static constexpr std::int64_t kEpochNs = 1767225600LL * 1'000'000'000;
  std::atomic<std::int64_t> mono_ns_{1'000'000'000};
};

// "2026-11-24T16:57:01.123Z"
std::string format_rfc3339(std::int64_t unix_ns);
// "2026-11-24"
std::string format_date(std::int64_t unix_ns);

}  // namespace fh::base
