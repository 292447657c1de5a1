// See trace_statistics.h.

#include "planner/trace_statistics.h"

#include <algorithm>
#include <cmath>

namespace fh::planner {

void GapStatistics::add(std::int64_t unix_ns) {
  if (count_ == 0) {
    first_ns_ = last_ns_ = unix_ns;
    count_ = 1;
    return;
  }
  if (unix_ns < last_ns_) {
    ordered_ = false;
    return;
  }
  ++count_;
  ++gaps_;
  const double gap = static_cast<double>(unix_ns - last_ns_) * 1e-9;
  const double delta = gap - mean_;
  mean_ += delta / static_cast<double>(gaps_);
  m2_ += delta * (gap - mean_);
  last_ns_ = unix_ns;
}

double GapStatistics::span_s() const {
  return static_cast<double>(last_ns_ - first_ns_) * 1e-9;
}

double GapStatistics::rate_per_s() const {
  const double span = span_s();
  return span > 0 ? static_cast<double>(gaps_) / span : 0;
}

std::optional<double> GapStatistics::cv() const {
  if (gaps_ < 2 || mean_ <= 0) return std::nullopt;
  return std::sqrt(m2_ / static_cast<double>(gaps_)) / mean_;
}

PrefixReuse::PrefixReuse(std::uint64_t block_tokens, std::int64_t lifetime_ns)
    : block_tokens_(std::max<std::uint64_t>(block_tokens, 1)), lifetime_ns_(lifetime_ns) {}

std::uint64_t PrefixReuse::add(std::int64_t unix_ns, std::uint64_t prompt_tokens,
                               std::span<const std::uint64_t> blocks) {
  std::uint64_t leading = 0;
  for (const std::uint64_t block : blocks) {
    const auto it = last_used_.find(block);
    if (it == last_used_.end()) break;
    if (lifetime_ns_ > 0 && unix_ns - it->second > lifetime_ns_) break;
    ++leading;
  }
  for (const std::uint64_t block : blocks) last_used_[block] = unix_ns;
  const std::uint64_t reused = std::min(leading * block_tokens_, prompt_tokens);
  prompt_tokens_ += prompt_tokens;
  reused_tokens_ += reused;
  return reused;
}

double PrefixReuse::share() const {
  return prompt_tokens_ == 0
             ? 0
             : static_cast<double>(reused_tokens_) / static_cast<double>(prompt_tokens_);
}

}  // namespace fh::planner
