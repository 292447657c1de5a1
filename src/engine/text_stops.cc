// Stop strings in a stream of events; see text_stops.h.

#include "engine/text_stops.h"

#include <algorithm>
#include <utility>

namespace fh::engine {

TextStops::TextStops(const std::vector<std::string>& stops)
    : none_(std::ranges::all_of(stops, &std::string::empty)), matcher_(stops) {}

void TextStops::push(domain::Event event, std::vector<domain::Event>& out) {
  if (matched_) return;
  auto* text = std::get_if<domain::TextDelta>(&event);
  if (text != nullptr && !none_) return push_text(std::move(*text), out);
  finish(out);
  out.push_back(std::move(event));
}

void TextStops::finish(std::vector<domain::Event>& out) {
  if (!none_ && !matched_) give(matcher_.finish(), out);
}

void TextStops::push_text(domain::TextDelta delta, std::vector<domain::Event>& out) {
  const std::uint64_t end = pushed_ + delta.text.size();
  for (domain::TokenLogprob& entry : delta.logprobs) {
    pushed_ = std::min(end, pushed_ + entry.bytes.size());
    logprobs_.push_back({pushed_, std::move(entry)});
  }
  pushed_ = end;
  give(matcher_.push(delta.text), out);
}

void TextStops::give(StopMatcher::Output found, std::vector<domain::Event>& out) {
  given_ += found.source_bytes;
  domain::TextDelta delta;
  delta.text = std::move(found.text);
  while (!logprobs_.empty() && logprobs_.front().end <= given_) {
    delta.logprobs.push_back(std::move(logprobs_.front().logprob));
    logprobs_.pop_front();
  }
  matched_ = std::move(found.matched);
  if (!delta.text.empty() || !delta.logprobs.empty()) out.emplace_back(std::move(delta));
}

}  // namespace fh::engine
