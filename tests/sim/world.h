#pragma once
// The whole gateway and ledger in one thread: real code over a virtual clock, seeded randomness,
// the in-memory network, the scripted engine and a store that can fail, tear and lose what was not
// synced. A World lives through crashes: what a process keeps in memory is thrown away and built
// anew, what is on "disk" stays as the crash left it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/scheduler.h"
#include "engine/scripted/scripted_engine.h"
#include "gateway/gateway.h"
#include "ledger/store/faulty.h"
#include "ledger/store/journal/journal_frames.h"
#include "ledger/store/journal/journal_store.h"
#include "ledger/store/journal/memory_file.h"
#include "ledger/store/journal/record_codec.h"
#include "ledger/store/memory.h"
#include "ledger/writer.h"
#include "net/memory.h"
#include "net/runtime.h"

namespace fh::sim {

// A mistake put in on purpose, to show that the simulation finds it.
enum class Plant : std::uint8_t { None, ForgetAborted, SettleTwice, AdmitLate };

struct Plan {
  std::uint64_t seed = 0;
  Plant plant = Plant::None;
  std::uint32_t requests = 40;
  bool verbose = false;
};

struct Report {
  bool ok = true;
  std::string failure;  // what broke, with the request
  std::uint64_t requests = 0, answered = 0, aborted = 0, crashes = 0, settled = 0, steps = 0;
};

// One life of a world under `plan`. Deterministic: the same plan gives the same report.
Report run(const Plan& plan);

}  // namespace fh::sim
