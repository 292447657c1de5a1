// See answer.h.
#include "engine/llama/answer.h"

#include <iterator>
#include <optional>
#include <utility>

namespace fh::engine::llama {

Answer::Answer(const Model& model, RenderedPrompt& rendered,
               const std::vector<std::string>& client_stops)
    : model_(model),
      parser_(std::move(rendered.parser)),
      client_stops_(client_stops.begin(), client_stops.end()),
      own_stops_(rendered.stops),
      text_stops_(client_stops),
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
  StopMatcher::Output out = own_stops_.push(bytes);
  if (out.matched) own_match_ = out.matched;
  emit(out, events);
  if (parser_ && parser_->in_reasoning()) ++reasoning_;
  return own_match_ || text_stops_.matched() || (parser_ && parser_->over());
}

void Answer::emit(const StopMatcher::Output& out, std::vector<domain::Event>& events) {
  emitted_bytes_ += out.source_bytes;
  std::vector<domain::TokenLogprob> ready;
  while (!logprobs_.empty() && logprobs_.front().bytes_end <= emitted_bytes_) {
    ready.push_back(std::move(logprobs_.front().logprob));
    logprobs_.pop_front();
  }
  if (out.text.empty() && ready.empty()) return;
  if (parser_) return give(parser_->feed(out.text, std::move(ready)), events);
  text_stops_.push(domain::TextDelta{out.text, std::move(ready)}, events);
}

void Answer::give(std::vector<domain::Event> parsed, std::vector<domain::Event>& events) {
  for (domain::Event& event : parsed) text_stops_.push(std::move(event), events);
}

domain::Event Answer::finish(domain::EndReason reason, std::vector<domain::Event>& events) {
  const bool own_end = reason == domain::EndReason::Complete || reason == domain::EndReason::Stop;
  emit(own_stops_.finish(!own_end), events);
  domain::Finished finished;
  if (own_end) reason = domain::EndReason::Complete;
  // A client may name one of the template's own.
  if (own_match_ && client_stops_.contains(*own_match_)) {
    reason = domain::EndReason::Stop;
    finished.stop_sequence = *own_match_;
  }
  if (parser_) {
    give(parser_->finish(reason), events);
    if (must_call_ && own_end && !parser_->made_call()) {
      domain::Failed failed;
      failed.error.code = base::Code::Internal;
      failed.error.message = "the model did not make the tool call that was required";
      failed.error.reason = "tool_call_missing";
      return failed;
    }
  }
  text_stops_.finish(events);
  if (const auto& stop = text_stops_.matched()) {
    reason = domain::EndReason::Stop;
    finished.stop_sequence = *stop;
  }
  if (reason != domain::EndReason::Stop) finished.stop_sequence.clear();
  finished.reason = reason;
  return finished;
}

}  // namespace fh::engine::llama
