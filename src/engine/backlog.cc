// See backlog.h.
#include "engine/backlog.h"

namespace fh::engine {
namespace {

template <typename Token>
std::size_t held_by(const Token& token) {
  return sizeof token + token.token.size() + token.bytes.size();
}

}  // namespace

std::size_t held_bytes(const domain::Event& event) {
  std::size_t bytes = sizeof event;
  if (const auto* text = std::get_if<domain::TextDelta>(&event)) {
    bytes += text->text.size();
    for (const domain::TokenLogprob& token : text->logprobs) {
      bytes += held_by(token);
      for (const domain::TokenLogprob::Top& top : token.top) bytes += held_by(top);
    }
  } else if (const auto* thought = std::get_if<domain::ReasoningDelta>(&event)) {
    bytes += thought->text.size();
  } else if (const auto* call = std::get_if<domain::ToolCallDelta>(&event)) {
    bytes += call->arguments_fragment.size();
  } else if (const auto* begin = std::get_if<domain::ToolCallStart>(&event)) {
    bytes += begin->id.size() + begin->name.size();
  } else if (const auto* finished = std::get_if<domain::Finished>(&event)) {
    bytes += finished->stop_sequence.size();
  } else if (const auto* failed = std::get_if<domain::Failed>(&event)) {
    bytes += failed->error.message.size() + failed->error.hint.size();
  }
  return bytes;
}

}  // namespace fh::engine
