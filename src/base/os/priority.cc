// See priority.h.

#include "base/os/priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace fh::base::os {
namespace {

// The kernel's struct sched_attr (sched_setattr(2)); its header and the C library's exclude each
// other.
struct SchedAttributes {
  std::uint32_t size = sizeof(SchedAttributes);
  std::uint32_t policy = 0;  // SCHED_OTHER
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};

constexpr int kNice = 10;
constexpr std::uint64_t kSliceNs = 100'000;
}  // namespace

void give_way_to_others() {
  // On Linux both calls are about one thread; 0 is the calling one.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
  SchedAttributes attributes;
  attributes.nice = kNice;
  attributes.runtime = kSliceNs;
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace fh::base::os
