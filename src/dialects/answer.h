#pragma once
// The whole answer, collected block by block: what both non-streaming writers turn into their
// reply.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dialects/blocks.h"

namespace fh::dialects {

struct AnswerBlock {
  BlockKind kind = BlockKind::None;
  std::string id;    // ToolCall
  std::string name;  // ToolCall
  std::string text;  // text, reasoning, or arguments
};

class Answer final : public BlockSink {
 public:
  explicit Answer(std::string reply_id) : sequencer_(std::move(reply_id)) {}
  void push(const domain::Event& event) { sequencer_.push(event, *this); }

  bool ended() const { return sequencer_.ended(); }
  std::uint32_t anomalies() const { return sequencer_.anomalies(); }
  const std::optional<base::Error>& failure() const { return failure_; }
  const std::vector<AnswerBlock>& blocks() const { return blocks_; }
  const std::vector<domain::TokenLogprob>& logprobs() const { return logprobs_; }
  const Ending& ending() const { return ending_; }

  void open(BlockKind kind, std::string_view id, std::string_view name) override {
    blocks_.push_back({kind, std::string(id), std::string(name), {}});
  }
  void delta(BlockKind, std::string_view text,
             std::span<const domain::TokenLogprob> logprobs) override {
    blocks_.back().text += text;
    logprobs_.insert(logprobs_.end(), logprobs.begin(), logprobs.end());
  }
  void close(BlockKind, bool) override {}
  void end(const Ending& ending) override { ending_ = ending; }
  void fail(const base::Error& error, const domain::Usage&) override { failure_ = error; }

 private:
  BlockSequencer sequencer_;
  std::vector<AnswerBlock> blocks_;
  std::vector<domain::TokenLogprob> logprobs_;
  Ending ending_;
  std::optional<base::Error> failure_;
};

}  // namespace fh::dialects
