#pragma once
// What the engine counts about itself: totals since start, written by the engine thread, read by
// anybody; and a report of each step for tests, benchmarks and the live view.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace fh::engine::llama {

struct Probe {
  std::atomic<std::uint64_t> steps{0};
  std::atomic<std::uint64_t> decode_batches{0};
  std::atomic<std::uint64_t> generated_tokens{0};
  std::atomic<std::uint64_t> prefill_tokens{0};   // computed
  std::atomic<std::uint64_t> cached_tokens{0};    // forked from a running sequence
  std::atomic<std::uint64_t> restored_tokens{0};  // copied back from parked blocks
  std::atomic<std::uint64_t> requests_parked{0};  // set aside because the pool was full
  std::atomic<std::uint64_t> blocks_evicted{0};
  std::atomic<std::uint64_t> parked_bytes{0};
  std::atomic<std::uint32_t> threads{0};  // in use now, for answers
  std::atomic<std::uint32_t> prompt_threads{0};
  std::atomic<std::uint32_t> piece_tokens{0};  // of a prompt computed alone; 0 = not known yet
  std::atomic<std::uint64_t> decode_ns{0};
  std::atomic<std::uint64_t> prefill_ns{0};
  std::atomic<std::uint64_t> sampling_ns{0};  // sampling and output, after the batches
};

struct StepReport {
  struct Piece {
    Ticket ticket = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  std::uint64_t number = 0;
  std::vector<Ticket> decoders;
  std::vector<Piece> pieces;
  std::uint32_t budget_tokens = 0;
  std::int64_t decode_ns = 0;
  std::int64_t prefill_ns = 0;
  std::uint32_t cells_used = 0;
};

}  // namespace fh::engine::llama
