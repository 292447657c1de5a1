// Stop strings and UTF-8 assembly; see stop_matcher.h.
#include "engine/stop_matcher.h"

#include <algorithm>
#include <utility>

#include "codec/utf8.h"

namespace fh::engine {
StopMatcher::StopMatcher(std::vector<std::string> stops) {
  for (std::string& stop : stops) {
    if (stop.empty()) continue;
    Pattern pattern;
    pattern.fallback.assign(stop.size(), 0);
    for (std::uint32_t i = 1, k = 0; i < stop.size(); ++i) {
      while (k > 0 && stop[i] != stop[k]) k = pattern.fallback[k - 1];
      if (stop[i] == stop[k]) ++k;
      pattern.fallback[i] = k;
    }
    pattern.text = std::move(stop);
    patterns_.push_back(std::move(pattern));
  }
}

StopMatcher::Output StopMatcher::push(std::string_view bytes) {
  Output out;
  for (const char c : bytes) {
    if (stopped_) break;
    accept_byte(c, out);
  }
  return out;
}

StopMatcher::Output StopMatcher::finish(bool cut) {
  Output out;
  if (stopped_) return out;
  const auto half = static_cast<std::uint8_t>(partial_.size());
  partial_.clear();
  if (half > 0 && !cut) accept_unit(codec::utf8::kReplacement, half, out);
  if (!stopped_) release(0, out);
  if (cut) out.source_bytes += half;
  for (Pattern& pattern : patterns_) pattern.matched = 0;
  return out;
}

void StopMatcher::accept_byte(char byte, Output& out) {
  partial_ += byte;
  while (!partial_.empty() && !stopped_) {
    const codec::utf8::Step step = codec::utf8::first_sequence(partial_);
    if (step.kind == codec::utf8::Sequence::Incomplete) return;
    const std::string unit = partial_.substr(0, step.size_bytes);
    partial_.erase(0, step.size_bytes);
    const bool whole = step.kind == codec::utf8::Sequence::Whole;
    accept_unit(whole ? std::string_view(unit) : codec::utf8::kReplacement,
                static_cast<std::uint8_t>(unit.size()), out);
  }
}

void StopMatcher::accept_unit(std::string_view unit, std::uint8_t source_bytes, Output& out) {
  held_ += unit;
  held_units_.push_back({source_bytes, static_cast<std::uint8_t>(unit.size())});
  std::size_t keep = 0;
  const Pattern* match = nullptr;
  for (Pattern& pattern : patterns_) {
    bool complete = false;
    for (const char c : unit) {
      if (pattern.matched == pattern.text.size()) {
        pattern.matched = pattern.fallback[pattern.matched - 1];
      }
      while (pattern.matched > 0 && pattern.text[pattern.matched] != c) {
        pattern.matched = pattern.fallback[pattern.matched - 1];
      }
      if (pattern.text[pattern.matched] == c) ++pattern.matched;
      complete = pattern.matched == pattern.text.size();
    }
    if (complete && (match == nullptr || pattern.text.size() > match->text.size())) {
      match = &pattern;
    }
    keep = std::max<std::size_t>(keep, pattern.matched);
  }
  if (match == nullptr) {
    release(keep, out);
    return;
  }
  release(match->text.size(), out);
  out.matched = match->text;
  stopped_ = true;
  held_.clear();
  held_units_.clear();
}

void StopMatcher::release(std::size_t keep, Output& out) {
  std::size_t size = 0;
  while (!held_units_.empty() && held_.size() - size >= keep + held_units_.front().size) {
    size += held_units_.front().size;
    out.source_bytes += held_units_.front().source_bytes;
    held_units_.pop_front();
  }
  out.text.append(held_, 0, size);
  held_.erase(0, size);
}

}  // namespace fh::engine
