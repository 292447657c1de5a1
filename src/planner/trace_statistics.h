#pragma once
// Statistics of request-level traces: how bursty arrivals are, and how much of the prompts a prefix
// cache of unlimited size would have served. Streaming, bounded by the number of distinct blocks.

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

namespace fh::planner {

// Gaps between consecutive arrivals (Welford's running moments).
class GapStatistics {
 public:
  // Times in order; one that goes back is not counted and makes ordered() false.
  void add(std::int64_t unix_ns);
  std::uint64_t count() const { return count_; }  // arrivals
  bool ordered() const { return ordered_; }
  double span_s() const;
  double rate_per_s() const;  // (count - 1) / span; 0 below two arrivals
  // Standard deviation / mean of the gaps; nullopt below two gaps or when all came at once.
  std::optional<double> cv() const;

 private:
  std::uint64_t count_ = 0, gaps_ = 0;
  std::int64_t first_ns_ = 0, last_ns_ = 0;
  double mean_ = 0, m2_ = 0;
  bool ordered_ = true;
};

// Leading blocks seen before, in order of arrival, with an optional lifetime that each use renews.
class PrefixReuse {
 public:
  // lifetime_ns 0: blocks never expire.
  PrefixReuse(std::uint64_t block_tokens, std::int64_t lifetime_ns = 0);
  // Tokens of this prompt that the cache serves; the prompt's own blocks are then in it.
  std::uint64_t add(std::int64_t unix_ns, std::uint64_t prompt_tokens,
                    std::span<const std::uint64_t> blocks);
  std::uint64_t prompt_tokens() const { return prompt_tokens_; }
  std::uint64_t reused_tokens() const { return reused_tokens_; }
  double share() const;

 private:
  std::uint64_t block_tokens_;
  std::int64_t lifetime_ns_;
  std::unordered_map<std::uint64_t, std::int64_t> last_used_;
  std::uint64_t prompt_tokens_ = 0, reused_tokens_ = 0;
};

}  // namespace fh::planner
