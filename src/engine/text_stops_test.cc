#include "engine/text_stops.h"

#include <gtest/gtest.h>

#include <utility>

namespace fh::engine {
namespace {

using domain::Event;
using domain::TextDelta;

domain::TokenLogprob token(const std::string& text) {
  return {text, {text.begin(), text.end()}, -1.0, {}};
}

struct Seen {
  std::string text;
  std::string reasoning;
  std::string arguments;
  std::string tokens;  // of the log-probabilities, each followed by a bar
  std::string stop;
  bool operator==(const Seen&) const = default;
};

Seen run(const std::vector<std::string>& stops, std::vector<Event> events) {
  TextStops filter(stops);
  std::vector<Event> out;
  for (Event& event : events) filter.push(std::move(event), out);
  filter.finish(out);
  Seen seen;
  for (const Event& event : out) {
    if (const auto* text = std::get_if<TextDelta>(&event)) {
      seen.text += text->text;
      for (const auto& entry : text->logprobs) seen.tokens += entry.token + "|";
    } else if (const auto* thought = std::get_if<domain::ReasoningDelta>(&event)) {
      seen.reasoning += thought->text;
    } else if (const auto* arguments = std::get_if<domain::ToolCallDelta>(&event)) {
      seen.arguments += arguments->arguments_fragment;
    }
  }
  seen.stop = filter.matched().value_or("");
  return seen;
}

TEST(TextStops, WithoutStopsEverythingGoesThroughAsItComes) {
  TextStops filter({""});
  std::vector<Event> out;
  filter.push(TextDelta{"a", {token("a")}}, out);
  filter.push(TextDelta{"", {token("b")}}, out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(std::get<TextDelta>(out[1]).logprobs.size(), 1U);
}

TEST(TextStops, AStopStringSpansDeltasAndEndsTheAnswer) {
  EXPECT_EQ(run({"STOP"}, {TextDelta{"abS", {}}, TextDelta{"TO", {}}, TextDelta{"Pxy", {}},
                           TextDelta{"more", {}}, domain::ToolCallStart{"call_1", "f"}}),
            (Seen{"ab", "", "", "", "STOP"}));
}

TEST(TextStops, CallsAndReasoningHoldNoStopStrings) {
  EXPECT_EQ(run({"city"}, {domain::ReasoningDelta{"which city?"}, TextDelta{"Let me see: ", {}},
                           domain::ToolCallStart{"call_1", "city"},
                           domain::ToolCallDelta{R"({"city":"Rome"})"}, domain::ToolCallEnd{},
                           TextDelta{"a city.", {}}}),
            (Seen{"Let me see: a ", "which city?", R"({"city":"Rome"})", "", "city"}));
}

TEST(TextStops, AStopStringDoesNotReachAcrossACall) {
  EXPECT_EQ(run({"ab"}, {TextDelta{"a", {}}, domain::ToolCallStart{"call_1", "f"},
                         domain::ToolCallDelta{"{}"}, domain::ToolCallEnd{}, TextDelta{"b", {}}}),
            (Seen{"ab", "", "{}", "", ""}));
}

TEST(TextStops, LogprobsLeaveWithTheirText) {
  TextStops filter({"cd"});
  std::vector<Event> out;
  filter.push(TextDelta{"abc", {token("ab"), token("c")}}, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::get<TextDelta>(out[0]).text, "ab");
  EXPECT_EQ(std::get<TextDelta>(out[0]).logprobs.size(), 1U);
  EXPECT_EQ(
      run({"cd"}, {TextDelta{"abc", {token("ab"), token("c")}}, TextDelta{"x", {token("x")}}}),
      (Seen{"abcx", "", "", "ab|c|x|", ""}));
  // A token that is cut in its middle is not part of the answer.
  EXPECT_EQ(run({"cd"}, {TextDelta{"ab", {token("ab")}}, TextDelta{"xcde", {token("xcde")}}}),
            (Seen{"abx", "", "", "ab|", "cd"}));
}

}  // namespace
}  // namespace fh::engine
