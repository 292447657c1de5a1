#pragma once
// One answer as a sequence of blocks, whatever order the events came in. domain/event.h promises an
// order; the events come from another process or another server, so the promise is checked here and
// mended: text inside a tool call waits until the call ends, a call that was never ended is ended,
// a delta without a call is dropped, nothing follows the terminal event. Every writer, streaming or
// not, is a BlockSink behind a BlockSequencer, so that no writer can be brought to write an order
// that its clients reject, and all of them say the same.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/event.h"

namespace fh::dialects {

enum class BlockKind : std::uint8_t { None, Reasoning, Text, ToolCall };

// How an answer ended.
struct Ending {
  domain::EndReason reason = domain::EndReason::Complete;
  std::string stop_sequence;
  domain::Usage usage;
  bool any_call = false;
  bool last_is_call = false;
  bool call_cut = false;  // the last call was still being written
};

// Calls come as: (open delta* close)* (end | fail). Deltas are not empty.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // `id` and `name` for ToolCall, not empty.
  virtual void open(BlockKind kind, std::string_view id, std::string_view name) = 0;
  virtual void delta(BlockKind kind, std::string_view text,
                     std::span<const domain::TokenLogprob> logprobs) = 0;
  // `cut`: the block was not ended by its sender.
  virtual void close(BlockKind kind, bool cut) = 0;
  virtual void end(const Ending& ending) = 0;
  virtual void fail(const base::Error& error, const domain::Usage& usage) = 0;
};

class BlockSequencer {
 public:
  // `reply_id` gives ids to calls that came without one.
  explicit BlockSequencer(std::string reply_id) : reply_id_(std::move(reply_id)) {}

  void push(const domain::Event& event, BlockSink& sink);
  void fail(const base::Error& error, BlockSink& sink);
  // Opens a block of this kind if none is open; false if none can be: behind a call nothing may
  // follow that the model has not said.
  bool ensure_open(BlockKind kind, BlockSink& sink);

  BlockKind open_kind() const { return open_; }
  bool ended() const { return ended_; }
  // Events that broke the promised order, for the log and a counter.
  std::uint32_t anomalies() const { return anomalies_; }

 private:
  void text(BlockKind kind, std::string_view text, std::span<const domain::TokenLogprob> logprobs,
            BlockSink& sink);
  void call_start(const domain::ToolCallStart& start, BlockSink& sink);
  void open_block(BlockKind kind, BlockSink& sink);
  void close(bool cut, BlockSink& sink);
  void finish(const domain::Finished& finished, BlockSink& sink);
  void flush_waiting(BlockSink& sink);

  struct Waiting {
    BlockKind kind;
    std::string text;
    std::vector<domain::TokenLogprob> logprobs;
  };
  std::string reply_id_;
  BlockKind open_ = BlockKind::None;
  BlockKind last_ = BlockKind::None;
  std::vector<Waiting> waiting_;
  std::vector<std::string> call_ids_;
  bool call_cut_ = false;
  bool ended_ = false;
  std::uint32_t anomalies_ = 0;
};

// The error behind an EndReason that is no proper end of an answer; nullopt for the proper ones.
std::optional<base::Error> failure_of(domain::EndReason reason);

}  // namespace fh::dialects
