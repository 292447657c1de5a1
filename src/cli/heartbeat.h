#pragma once
// Heartbeat: whether something that should answer still does. Counts questions without any answer,
// not time: while the asking process itself does not run (a machine asleep, a stopped process),
// none is asked, and none is missed.

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace fh::cli {

struct HeartbeatLimits {
  std::chrono::milliseconds interval{5'000};
  std::uint32_t unanswered_max = 6;
};

class Heartbeat {
 public:
  enum class Due : std::uint8_t { Nothing, Ask, Dead };

  explicit Heartbeat(HeartbeatLimits limits) : limits_(limits) {}
  void begin(base::TimePoint now) {
    next_ = now + limits_.interval;
    unanswered_ = 0;
  }
  void end() { next_.reset(); }
  void heard() { unanswered_ = 0; }
  // What is to be done now. After Ask the caller has asked.
  Due due(base::TimePoint now) {
    if (!next_ || now < *next_) return Due::Nothing;
    // We did not run ourselves for a while, and what we watch may not have either.
    if (now >= *next_ + limits_.interval) unanswered_ = 0;
    if (unanswered_ >= limits_.unanswered_max) return Due::Dead;
    ++unanswered_;
    next_ = now + limits_.interval;
    return Due::Ask;
  }
  std::optional<base::TimePoint> next() const { return next_; }

 private:
  HeartbeatLimits limits_;
  std::optional<base::TimePoint> next_;
  std::uint32_t unanswered_ = 0;
};

}  // namespace fh::cli
