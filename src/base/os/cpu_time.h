#pragma once
// Processor time.

#include <cstdint>

namespace fh::base::os {

// What all threads of this process have used since it began, in nanoseconds. Any thread.
std::int64_t process_cpu_ns();

}  // namespace fh::base::os
