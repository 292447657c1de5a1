// See cpu_time.h.

#include "base/os/cpu_time.h"

#include <ctime>

namespace fh::base::os {

std::int64_t process_cpu_ns() {
  timespec used{};
  static_cast<void>(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used));
  return static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
}

}  // namespace fh::base::os
