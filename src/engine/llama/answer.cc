// See answer.h.
#include "engine/llama/answer.h"

#include <iterator>
#include <optional>
#include <utility>

namespace fh::engine::llama {
namespace {

std::vector<std::string> all_stops(const std::vector<std::string>& client,
                                   const std::vector<std::string>& own) {
  std::vector<std::string> stops = client;
  stops.insert(stops.end(), own.begin(), own.end());
  return stops;
}

}  // namespace

Answer::Answer(const Model& model, RenderedPrompt& rendered,
               const std::vector<std::string>& client_stops)
    : model_(model),
      parser_(std::move(rendered.parser)),
      client_stops_(client_stops.begin(), client_stops.end()),
      stops_(all_stops(client_stops, rendered.stops)),
      must_call_(rendered.must_call) {
  for (const std::string& text : rendered.preserved_tokens) {
    const auto tokens = model.tokenize(text, false, true);
    if (tokens && tokens->size() == 1) preserved_.insert(tokens->front());
  }
}

bool Answer::push(Token token, std::vector<domain::TokenLogprob> logprob,
                  std::vector<domain::Event>& events) {
  ++output_;
  const std::string bytes = model_.piece(token, preserved_.contains(token));
  pushed_bytes_ += bytes.size();
  for (auto& one : logprob) logprobs_.push_back({pushed_bytes_, std::move(one)});
  StopMatcher::Output out = stops_.push(bytes);
  if (out.matched) matched_ = out.matched;
  emit(out, events);
  if (parser_ && parser_->in_reasoning()) ++reasoning_;
  return matched_.has_value();
}

void Answer::emit(const StopMatcher::Output& out, std::vector<domain::Event>& events) {
  emitted_bytes_ += out.source_bytes;
  std::vector<domain::TokenLogprob> ready;
  while (!logprobs_.empty() && logprobs_.front().bytes_end <= emitted_bytes_) {
    ready.push_back(std::move(logprobs_.front().logprob));
    logprobs_.pop_front();
  }
  if (out.text.empty() && ready.empty()) return;
  if (parser_) {
    auto parsed = parser_->feed(out.text, std::move(ready));
    events.insert(events.end(), std::make_move_iterator(parsed.begin()),
                  std::make_move_iterator(parsed.end()));
    return;
  }
  events.emplace_back(domain::TextDelta{out.text, std::move(ready)});
}

domain::Event Answer::finish(domain::EndReason reason, std::vector<domain::Event>& events) {
  emit(stops_.finish(), events);
  domain::Finished finished;
  if (matched_) {
    const bool asked_for = client_stops_.contains(*matched_);
    reason = asked_for ? domain::EndReason::Stop : domain::EndReason::Complete;
    if (asked_for) finished.stop_sequence = *matched_;
  }
  const bool own_end = reason == domain::EndReason::Complete || reason == domain::EndReason::Stop;
  if (parser_) {
    auto parsed = parser_->finish(reason);
    events.insert(events.end(), std::make_move_iterator(parsed.begin()),
                  std::make_move_iterator(parsed.end()));
    if (must_call_ && own_end && !parser_->made_call()) {
      domain::Failed failed;
      failed.error.code = base::Code::Internal;
      failed.error.message = "the model did not make the tool call that was required";
      failed.error.reason = "tool_call_missing";
      return failed;
    }
  }
  if (reason != domain::EndReason::Stop) finished.stop_sequence.clear();
  finished.reason = reason;
  return finished;
}

}  // namespace fh::engine::llama
