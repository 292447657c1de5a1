#pragma once
// Token usage in disjoint buckets, the one form that everything behind the dialects knows.
//   prompt_total = input_uncached + cache_read + cache_write (all lifetimes);  total = prompt_total
//   + output.
// `reasoning` is a part of `output`, never added to it. Conversion from and to a vendor's field
// names happens once, at the edge, in dialects/ (and upstream/).

#include <cstdint>

namespace fh::domain {

struct Usage {
  std::uint64_t input_uncached = 0;
  std::uint64_t cache_read = 0;
  std::uint64_t cache_write_5m = 0;
  std::uint64_t cache_write_30m = 0;
  std::uint64_t cache_write_1h = 0;
  std::uint64_t output = 0;
  std::uint64_t reasoning = 0;

  std::uint64_t cache_write() const { return cache_write_5m + cache_write_30m + cache_write_1h; }
  std::uint64_t prompt_total() const { return input_uncached + cache_read + cache_write(); }
  std::uint64_t total() const { return prompt_total() + output; }
  bool valid() const { return reasoning <= output; }
  bool operator==(const Usage&) const = default;
};

enum class UsageSource : std::uint8_t { Counted, Provider, Estimated };

// How the engine came by the prompt; computed + cached + restored == prompt_total.
struct PromptWork {
  std::uint64_t computed = 0;  // tokens prefilled for this request
  std::uint64_t cached = 0;    // reused from resident memory
  std::uint64_t restored = 0;  // read back from parked blocks
  bool operator==(const PromptWork&) const = default;
};

// Durations as the engine measured them, in nanoseconds; 0 = did not happen.
struct Timings {
  std::int64_t queue_ns = 0;
  std::int64_t prefill_ns = 0;
  std::int64_t decode_ns = 0;
  bool operator==(const Timings&) const = default;
};

}  // namespace fh::domain
