#pragma once
// For tests: a stream of events folded into what it means, with the order checked.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "domain/event.h"
#include "engine/llama/output_parser.h"

namespace fh::engine::llama {

struct Folded {
  std::string text;
  std::string reasoning;
  std::vector<std::pair<std::string, std::string>> calls;  // name, arguments
  std::string order;                                       // T text, R reasoning, C call
  std::vector<std::string> ids;
  std::size_t deltas = 0;  // of arguments
  domain::EndReason reason = domain::EndReason::Complete;
  bool made_call = false;
  bool open_call = false;  // ended inside a call
};

inline void fold(Folded& out, const std::vector<domain::Event>& events, bool& open) {
  const auto mark = [&](char c) {
    if (out.order.empty() || out.order.back() != c || c == 'C') out.order += c;
  };
  for (const auto& event : events) {
    if (const auto* text = std::get_if<domain::TextDelta>(&event)) {
      EXPECT_FALSE(open) << "text inside a call";
      EXPECT_FALSE(text->text.empty());
      mark('T');
      out.text += text->text;
    } else if (const auto* thought = std::get_if<domain::ReasoningDelta>(&event)) {
      EXPECT_FALSE(open) << "reasoning inside a call";
      mark('R');
      out.reasoning += thought->text;
    } else if (const auto* start = std::get_if<domain::ToolCallStart>(&event)) {
      EXPECT_FALSE(open) << "a call inside a call";
      open = true;
      mark('C');
      out.calls.emplace_back(start->name, "");
      out.ids.push_back(start->id);
    } else if (const auto* delta = std::get_if<domain::ToolCallDelta>(&event)) {
      EXPECT_TRUE(open) << "arguments outside of a call";
      out.calls.back().second += delta->arguments_fragment;
      ++out.deltas;
    } else if (std::holds_alternative<domain::ToolCallEnd>(event)) {
      EXPECT_TRUE(open);
      open = false;
    } else {
      ADD_FAILURE() << "an event that a parser must not make";
    }
  }
}

// Feeds the pieces and folds everything.
inline Folded run_parser(OutputParser& parser, const std::vector<std::string>& pieces,
                         domain::EndReason reason = domain::EndReason::Complete) {
  Folded out;
  bool open = false;
  for (const auto& piece : pieces) fold(out, parser.feed(piece, {}), open);
  out.reason = reason;
  fold(out, parser.finish(out.reason), open);
  // Only a call that a limit or a cancellation cut may stay open.
  const bool whole = reason == domain::EndReason::Complete || reason == domain::EndReason::Stop;
  EXPECT_FALSE(open && whole) << "a call was left open";
  out.open_call = open;
  out.made_call = parser.made_call();
  return out;
}

}  // namespace fh::engine::llama
