// One answer as a sequence of blocks; see blocks.h.

#include "dialects/blocks.h"

#include <algorithm>
#include <utility>

#include "dialects/ids.h"

namespace fh::dialects {

using domain::EndReason;

std::optional<base::Error> failure_of(EndReason reason) {
  const auto error = [](base::Code code, std::string message) {
    return base::Error{code, std::move(message), {}, {}, {}};
  };
  switch (reason) {
    case EndReason::UpstreamCut:
      return error(base::Code::Unavailable, "the model server ended the answer early");
    case EndReason::UpstreamError:
    case EndReason::Crash:
      return error(base::Code::Unavailable, "the model stopped while answering");
    case EndReason::Timeout:
      return error(base::Code::DeadlineExceeded, "the answer took longer than allowed");
    case EndReason::Cancelled:
      return error(base::Code::Unavailable, "the answer was cancelled by the server");
    case EndReason::Rejected:
      return error(base::Code::Unavailable, "the request was refused by the model server");
    case EndReason::Complete:
    case EndReason::Stop:
    case EndReason::Length:
    case EndReason::ContextFull:
    case EndReason::ToolCall:
    case EndReason::ClientAbort:
    case EndReason::Budget: return std::nullopt;
  }
  return std::nullopt;
}

void BlockSequencer::push(const domain::Event& event, BlockSink& sink) {
  if (ended_) {
    ++anomalies_;
    return;
  }
  if (const auto* delta = std::get_if<domain::TextDelta>(&event)) {
    text(BlockKind::Text, delta->text, delta->logprobs, sink);
  } else if (const auto* reasoning = std::get_if<domain::ReasoningDelta>(&event)) {
    text(BlockKind::Reasoning, reasoning->text, {}, sink);
  } else if (const auto* fragment = std::get_if<domain::ToolCallDelta>(&event)) {
    if (open_ != BlockKind::ToolCall) {
      ++anomalies_;
    } else if (!fragment->arguments_fragment.empty()) {
      sink.delta(open_, fragment->arguments_fragment, {});
    }
  } else if (const auto* start = std::get_if<domain::ToolCallStart>(&event)) {
    call_start(*start, sink);
  } else if (std::holds_alternative<domain::ToolCallEnd>(event)) {
    if (open_ == BlockKind::ToolCall) {
      close(false, sink);
      flush_waiting(sink);
    } else {
      ++anomalies_;
    }
  } else if (const auto* finished = std::get_if<domain::Finished>(&event)) {
    finish(*finished, sink);
  } else if (const auto* failed = std::get_if<domain::Failed>(&event)) {
    ended_ = true;
    sink.fail(failed->error, failed->usage);
  }
}

void BlockSequencer::fail(const base::Error& error, BlockSink& sink) {
  if (ended_) return;
  ended_ = true;
  sink.fail(error, {});
}

bool BlockSequencer::ensure_open(BlockKind kind, BlockSink& sink) {
  if (open_ != BlockKind::None) return true;
  if (ended_ || last_ == BlockKind::ToolCall) return false;
  open_block(kind, sink);
  return true;
}

void BlockSequencer::open_block(BlockKind kind, BlockSink& sink) {
  open_ = last_ = kind;
  sink.open(kind, {}, {});
}

void BlockSequencer::text(BlockKind kind, std::string_view text,
                          std::span<const domain::TokenLogprob> logprobs, BlockSink& sink) {
  if (text.empty() && logprobs.empty()) return;
  if (open_ == BlockKind::ToolCall) {
    ++anomalies_;
    waiting_.push_back({kind, std::string(text), {logprobs.begin(), logprobs.end()}});
    return;
  }
  if (open_ != kind) {
    close(false, sink);
    open_block(kind, sink);
  }
  sink.delta(kind, text, logprobs);
}

void BlockSequencer::call_start(const domain::ToolCallStart& start, BlockSink& sink) {
  if (open_ == BlockKind::ToolCall) ++anomalies_;
  close(open_ == BlockKind::ToolCall, sink);
  flush_waiting(sink);
  close(false, sink);
  std::string id = internal_tool_id(start.id);
  if (id.empty() || std::ranges::find(call_ids_, id) != call_ids_.end()) {
    ++anomalies_;
    id = derived_tool_id(reply_id_, call_ids_.size());
  }
  if (start.name.empty()) ++anomalies_;
  call_ids_.push_back(id);
  open_ = last_ = BlockKind::ToolCall;
  call_cut_ = false;
  sink.open(BlockKind::ToolCall, id, start.name.empty() ? "unknown" : start.name);
}

void BlockSequencer::close(bool cut, BlockSink& sink) {
  if (open_ == BlockKind::None) return;
  const BlockKind kind = std::exchange(open_, BlockKind::None);
  if (kind == BlockKind::ToolCall) call_cut_ = cut;
  sink.close(kind, cut);
}

void BlockSequencer::flush_waiting(BlockSink& sink) {
  for (const Waiting& waiting : std::exchange(waiting_, {})) {
    text(waiting.kind, waiting.text, waiting.logprobs, sink);
  }
}

void BlockSequencer::finish(const domain::Finished& finished, BlockSink& sink) {
  if (auto error = failure_of(finished.reason)) {
    ended_ = true;
    return sink.fail(*error, finished.usage);
  }
  const bool call_open = open_ == BlockKind::ToolCall;
  const bool cut_by_limit = finished.reason == EndReason::Length ||
                            finished.reason == EndReason::ContextFull ||
                            finished.reason == EndReason::Budget;
  if (call_open && !cut_by_limit) ++anomalies_;
  // A call that is still open when the model ended its turn was merely not marked as ended.
  close(call_open && cut_by_limit, sink);
  flush_waiting(sink);
  close(false, sink);
  ended_ = true;
  Ending ending;
  ending.reason = finished.reason;
  ending.stop_sequence = finished.stop_sequence;
  ending.usage = finished.usage;
  ending.any_call = !call_ids_.empty();
  ending.last_is_call = last_ == BlockKind::ToolCall;
  ending.call_cut = call_cut_;
  sink.end(ending);
}

}  // namespace fh::dialects
