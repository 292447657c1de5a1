// What the marker parser makes of answers, however they are cut into pieces.
#include "engine/llama/output_marker.h"

#include <random>

#include "engine/llama/output_test_cases.h"
#include "engine/llama/output_test_fold.h"

namespace fh::engine::llama {
namespace {

using domain::EndReason;

std::shared_ptr<const ToolRules> test_tools() {
  const std::vector<domain::Tool> tools{
      {"get_weather", "",
       R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"],"additionalProperties":false})",
       false},
      {"write_file", "", R"({"type":"object","properties":{"text":{"type":"string"}}})", false},
      {"now", "", "{}", false}};
  return std::make_shared<ToolRules>(*tool_rules(tools));
}

MarkerOptions with_calls() {
  MarkerOptions options;
  options.calls = true;
  options.lenient = true;
  options.fences = true;
  options.tools = test_tools();
  options.think_start = "<think>";
  options.think_end = "</think>";
  return options;
}

Folded parse(const MarkerOptions& options, const std::vector<std::string>& pieces,
             EndReason reason = EndReason::Complete) {
  base::SeededRandom random(7);
  return run_parser(*make_marker_parser(options, random), pieces, reason);
}

void expect_case(const Case& c, const Folded& got) {
  EXPECT_EQ(got.text, c.text);
  EXPECT_EQ(got.reasoning, c.reasoning);
  EXPECT_EQ(got.calls, c.calls);
  EXPECT_EQ(got.order, c.order);
  EXPECT_EQ(got.reason, c.reason);
  EXPECT_EQ(got.made_call, !c.calls.empty());
}

TEST(MarkerParser, Table) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    expect_case(c, parse(with_calls(), {c.output}));
  }
}

// Whole code points only: the engine holds the rest back.
std::vector<std::string> cut(const std::string& text, std::mt19937& random, int mean) {
  std::vector<std::string> out{""};
  for (std::size_t i = 0; i < text.size();) {
    std::size_t size = 1;
    while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0) == 0x80) {
      ++size;
    }
    out.back() += text.substr(i, size);
    i += size;
    if (random() % static_cast<unsigned>(mean) == 0) out.emplace_back();
  }
  return out;
}

TEST(MarkerParser, AnySplitMeansTheSame) {
  std::mt19937 random(3);
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    for (int round = 0; round < 60; ++round) {
      expect_case(c, parse(with_calls(), cut(c.output, random, 1 + round % 9)));
    }
  }
}

TEST(MarkerParser, AnySplitMeansTheSameForRandomSoup) {
  const std::vector<std::string> atoms{"<tool_call>",
                                       "</tool_call>",
                                       "<think>",
                                       "</think>",
                                       "{\"name\":",
                                       "\"now\"",
                                       "\"write_file\"",
                                       ",\"arguments\":",
                                       "{\"text\":\"a\\\"b\"}",
                                       "{}",
                                       "}",
                                       "{",
                                       "```json\n",
                                       "```",
                                       "\n",
                                       " ",
                                       "x<",
                                       "ü",
                                       "{\"name\":\"now\",\"arguments\":{}}",
                                       ",\"parameters\":{}",
                                       "\"",
                                       "[1,",
                                       "tru",
                                       "\\"};
  std::mt19937 random(11);
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (unsigned n = random() % 12; n > 0; --n) text += atoms[random() % atoms.size()];
    const EndReason reason = random() % 3 == 0 ? EndReason::Length : EndReason::Complete;
    MarkerOptions options = with_calls();
    options.parallel = random() % 4 != 0;
    options.lenient = random() % 2 == 0;
    options.fences = random() % 2 == 0;
    options.starts_in_reasoning = random() % 4 == 0;
    options.calls = random() % 6 != 0;
    const Folded whole = parse(options, {text}, reason);
    const Folded pieces = parse(options, cut(text, random, 1 + round % 5), reason);
    SCOPED_TRACE(text);
    ASSERT_EQ(whole.text, pieces.text);
    ASSERT_EQ(whole.reasoning, pieces.reasoning);
    ASSERT_EQ(whole.calls, pieces.calls);
    ASSERT_EQ(whole.order, pieces.order);
    ASSERT_EQ(whole.reason, pieces.reason);
    if (!options.parallel) {
      ASSERT_LE(whole.calls.size(), 1U);
    }
    if (!options.calls) {
      ASSERT_TRUE(whole.calls.empty());
    }
  }
}

TEST(MarkerParser, ArgumentsFlowWhileTheyAreGenerated) {
  base::SeededRandom random(1);
  const auto parser = make_marker_parser(with_calls(), random);
  EXPECT_TRUE(parser->feed("<tool_call>\n{\"name\": \"write_file\", \"argu").empty());
  auto events = parser->feed("ments\": {\"text\": \"first line");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(std::get<domain::ToolCallStart>(events[0]).name, "write_file");
  EXPECT_EQ(std::get<domain::ToolCallDelta>(events[1]).arguments_fragment,
            "{\"text\": \"first line");
  events = parser->feed(" second");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<domain::ToolCallDelta>(events[0]).arguments_fragment, " second");
}

TEST(MarkerParser, LongArgumentsOfABareCallComeInSeveralDeltas) {
  const std::string body(1000, 'x');
  const Folded got =
      parse(with_calls(),
            {"```json\n{\"name\":\"write_file\",\"arguments\":{\"text\":\"" + body + "ü\"}}\n```"});
  ASSERT_EQ(got.calls.size(), 1U);
  EXPECT_EQ(got.calls[0].second, "{\"text\":\"" + body + "ü\"}");
  EXPECT_GT(got.deltas, 5U);
}

TEST(MarkerParser, TextIsNotHeldBackWithoutNeed) {
  base::SeededRandom random(1);
  const auto parser = make_marker_parser(with_calls(), random);
  auto events = parser->feed("A long ");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<domain::TextDelta>(events[0]).text,
            "A long");  // the space may stand before a call
  events = parser->feed("answer <b>");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<domain::TextDelta>(events[0]).text, " answer <b>");
  events = parser->feed(" <tool_cal");
  EXPECT_TRUE(events.empty());
  events = parser->feed("m>");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<domain::TextDelta>(events[0]).text, " <tool_calm>");
}

std::string rome(const std::string& city) {
  return "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"" + city +
         "\"}}\n</tool_call>\n";
}

TEST(MarkerParser, ACallThatIsSaidAgainEndsTheAnswer) {
  MarkerOptions options = with_calls();
  options.calls_only = true;
  const std::string output = rome("Rome") + rome("Oslo") + rome("Rome") + rome("Bern");
  const std::vector<std::pair<std::string, std::string>> twice{
      {"get_weather", R"({"city": "Rome"})"}, {"get_weather", R"({"city": "Oslo"})"}};
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    const Folded got = parse(options, cut(output, random, 1 + round));
    EXPECT_EQ(got.calls, twice);
    EXPECT_EQ(got.reason, EndReason::ToolCall);
  }
  // Where the model may also say something else it means it.
  options.calls_only = false;
  EXPECT_EQ(parse(options, {output}).calls.size(), 4U);
}

TEST(MarkerParser, ARepetitionIsKnownWhenItIsCompleteAndLetGoWhenItIsNone) {
  base::SeededRandom random(1);
  MarkerOptions options = with_calls();
  options.calls_only = true;
  const auto parser = make_marker_parser(options, random);
  parser->feed(rome("Rome"));
  EXPECT_TRUE(
      parser->feed(R"(<tool_call>{"name": "get_weather", "arguments": {"city": "Ro)").empty());
  auto events = parser->feed("t");
  ASSERT_EQ(events.size(), 3U);  // start, what was held back, the rest
  EXPECT_EQ(std::get<domain::ToolCallDelta>(events[1]).arguments_fragment, R"({"city": "Ro)");
  parser->feed("\"}}\n</tool_call>");
  EXPECT_FALSE(parser->over());
  EXPECT_TRUE(parser->feed(rome("Rome")).empty());
  EXPECT_TRUE(parser->over());
  EndReason reason = EndReason::Complete;
  EXPECT_TRUE(parser->finish(reason).empty());
  EXPECT_EQ(reason, EndReason::ToolCall);
}

TEST(MarkerParser, ALimitInsideARepetitionLeavesTheCallsThatCame) {
  MarkerOptions options = with_calls();
  options.calls_only = true;
  const Folded got = parse(options, {rome("Rome") + rome("Rome").substr(0, 60)}, EndReason::Length);
  EXPECT_EQ(got.calls.size(), 1U);
  EXPECT_FALSE(got.open_call);
  EXPECT_EQ(got.reason, EndReason::ToolCall);
}

TEST(MarkerParser, CutOffInsideACall) {
  const std::string head = "<tool_call>\n{\"name\": \"write_file\", \"argu";
  Folded got = parse(with_calls(), {"Well.\n" + head}, EndReason::Length);
  EXPECT_EQ(got.text, "Well.");
  EXPECT_TRUE(got.calls.empty());
  EXPECT_EQ(got.reason, EndReason::Length);
  got = parse(with_calls(), {head + "ments\": {\"text\": \"half"}, EndReason::Length);
  ASSERT_EQ(got.calls.size(), 1U);
  EXPECT_EQ(got.calls[0].second, "{\"text\": \"half");
  EXPECT_EQ(got.reason, EndReason::Length);
  EXPECT_FALSE(got.made_call);
  got = parse(with_calls(), {head + "ments\": {\"text\": \"whole\"}}"}, EndReason::Length);
  EXPECT_EQ(got.reason, EndReason::ToolCall);
}

// Wherever a limit or a stop cuts an answer that may hold nothing but calls, no byte of a marker
// comes out as text, and what was finished stays a call.
TEST(MarkerParser, PartsOfMarkersNeverBecomeText) {
  MarkerOptions options = with_calls();
  options.lenient = false;
  options.must_call = true;
  const std::string call =
      "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"x\"}}\n</tool_call>";
  const std::string answer = call + "\n" + call;
  const std::size_t whole = call.find("}}") + 2;
  for (const EndReason reason : {EndReason::Length, EndReason::Stop, EndReason::Complete}) {
    for (std::size_t cut = 1; cut <= answer.size(); ++cut) {
      const Folded got = parse(options, {answer.substr(0, cut)}, reason);
      EXPECT_EQ(got.text, "") << cut;
      EXPECT_EQ(got.made_call, cut >= whole - 1) << cut;
    }
  }
  // Behind a text that the client began, too.
  options.continues_text = true;
  for (std::size_t cut = 1; cut <= call.size(); ++cut) {
    EXPECT_EQ(parse(options, {call.substr(0, cut)}, EndReason::Length).text, "") << cut;
  }
  options.continues_text = false;
  // The same after a call under auto, where text may follow one.
  options.must_call = false;
  for (std::size_t cut = whole; cut < call.size(); ++cut) {
    EXPECT_EQ(parse(options, {call.substr(0, cut)}, EndReason::Length).text, "") << cut;
    EXPECT_EQ(parse(options, {call.substr(0, cut)}).text, "") << cut;
  }
  for (std::size_t cut = call.size(); cut < call.size() + 11; ++cut) {
    EXPECT_EQ(parse(options, {answer.substr(0, cut)}, EndReason::Length).text, "") << cut;
  }
  EXPECT_EQ(parse(options, {call + " a <b"}, EndReason::Length).text, "a <b");
  EXPECT_EQ(parse(options, {"a <tool"}, EndReason::Length).text, "a <tool");
}

TEST(MarkerParser, AFenceWithinALongerAnswerIsACallOnlyInFamiliesThatDoSo) {
  MarkerOptions options = with_calls();
  options.fences = false;
  for (const std::string text : {"Call it:\n\n```json\n{\"name\":\"now\",\"arguments\":{}}\n```\n",
                                 "```json\n{\"name\":\"now\",\"arguments\":{}}\n```\nas you see"}) {
    const Folded got = parse(options, {text});
    EXPECT_EQ(got.text, text);
    EXPECT_TRUE(got.calls.empty());
  }
  const Folded whole = parse(options, {"```json\n{\"name\":\"now\",\"arguments\":{}}\n```"});
  EXPECT_EQ(whole.calls.size(), 1U);
}

// Seen in an answer of Qwen2.5-Coder: the whole task as calls in one fence.
TEST(MarkerParser, SeveralCallsInOneFence) {
  const std::string now = R"({"name":"now","arguments":{}})";
  const std::string write = "{\n  \"name\": \"write_file\",\n  \"arguments\": {\"text\": \"a\"}\n}";
  const std::string wrong = R"({"name":"get_weather","arguments":{"town":"x"}})";
  using Calls = std::vector<std::pair<std::string, std::string>>;
  const Calls both{{"now", "{}"}, {"write_file", R"({"text": "a"})"}};
  Folded got = parse(with_calls(), {"First:\n```json\n" + now + "\n" + write + "\n```\nDone."});
  EXPECT_EQ(got.calls, both);
  EXPECT_EQ(got.text, "First:");
  EXPECT_EQ(got.reason, EndReason::ToolCall);
  // What is no call, and all behind it, was said without the results of those before.
  for (const std::string& end : {wrong + "\n```", wrong + now + "\n```", std::string("# next\n```"),
                                 std::string("{\"name\": \"no"), std::string("")}) {
    got = parse(with_calls(), {"```json\n" + now + "\n" + write + "\n" + end});
    EXPECT_EQ(got.calls, both) << end;
    EXPECT_EQ(got.text, "") << end;
    EXPECT_EQ(got.reason, EndReason::ToolCall) << end;
  }
  MarkerOptions options = with_calls();
  options.parallel = false;
  got = parse(options, {"```json\n" + now + "\n" + write + "\n```"});
  EXPECT_EQ(got.calls, Calls{both[0]});
  options = with_calls();
  options.fences = false;
  EXPECT_TRUE(parse(options, {"```json\n" + now + "\n" + write + "\n```"}).calls.empty());
}

// What stands behind a call in a fence is not even waited for.
TEST(MarkerParser, TheAnswerIsOverWhereTheModelSpeaksForTheTool) {
  base::SeededRandom random(1);
  const auto parser = make_marker_parser(with_calls(), random);
  parser->feed("```json\n{\"name\":\"now\",\"arguments\":{}}\n```\n\n");
  EXPECT_FALSE(parser->over());
  parser->feed("I");
  EXPECT_TRUE(parser->over());
  EndReason reason = EndReason::Stop;
  parser->finish(reason);
  EXPECT_EQ(reason, EndReason::ToolCall);
}

TEST(MarkerParser, OnlyOneCallWhenNotParallel) {
  MarkerOptions options = with_calls();
  options.parallel = false;
  const Folded got = parse(options, {"<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>\n"
                                     "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"});
  EXPECT_EQ(got.calls.size(), 1U);
  EXPECT_EQ(got.text, "");
  EXPECT_EQ(got.reason, EndReason::ToolCall);
}

TEST(MarkerParser, NoToolsNoCalls) {
  MarkerOptions options = with_calls();
  options.calls = false;
  options.lenient = false;
  const std::string text = "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>";
  const Folded got = parse(options, {text});
  EXPECT_EQ(got.text, text);
  EXPECT_EQ(got.reason, EndReason::Complete);
}

TEST(MarkerParser, StartsInReasoningAndSaysSo) {
  MarkerOptions options = with_calls();
  options.starts_in_reasoning = true;
  base::SeededRandom random(1);
  const auto parser = make_marker_parser(options, random);
  EXPECT_TRUE(parser->in_reasoning());
  parser->feed("because");
  EXPECT_TRUE(parser->in_reasoning());
  parser->feed("</think>");
  EXPECT_FALSE(parser->in_reasoning());
  const Folded got = parse(options, {"because </think> so"});
  EXPECT_EQ(got.reasoning, "because");
  EXPECT_EQ(got.text, "so");
}

TEST(MarkerParser, APrefillKeepsItsSpaceAndIsNoCall) {
  MarkerOptions options = with_calls();
  options.continues_text = true;
  EXPECT_EQ(parse(options, {" 42."}).text, " 42.");
  EXPECT_EQ(parse(options, {"{\"name\":\"now\",\"arguments\":{}}"}).calls.size(), 0U);
}

TEST(MarkerParser, IdsAreOfTheKnownForm) {
  const Folded got =
      parse(with_calls(), {"<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"
                           "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"});
  ASSERT_EQ(got.ids.size(), 2U);
  EXPECT_NE(got.ids[0], got.ids[1]);
  for (const auto& id : got.ids) {
    EXPECT_EQ(id.size(), 29U);
    EXPECT_TRUE(id.starts_with("call_"));
  }
}

TEST(MarkerParser, LogprobsLeaveWithTheirText) {
  base::SeededRandom random(1);
  const auto parser = make_marker_parser(with_calls(), random);
  const auto entry = [](std::string text) {
    domain::TokenLogprob out;
    out.token = text;
    out.bytes.assign(text.begin(), text.end());
    return out;
  };
  std::vector<std::string> seen;
  const auto collect = [&](const std::vector<domain::Event>& events) {
    for (const auto& event : events) {
      if (const auto* text = std::get_if<domain::TextDelta>(&event)) {
        for (const auto& logprob : text->logprobs) seen.push_back(logprob.token);
      }
    }
  };
  collect(parser->feed("<think>", {entry("<think>")}));
  collect(parser->feed("why", {entry("why")}));
  collect(parser->feed("</think>", {entry("</think>")}));
  collect(parser->feed("Yes", {entry("Yes")}));
  collect(parser->feed(" <", {entry(" <")}));
  collect(parser->feed("b", {entry("b")}));
  // Half a code point: no text of its own.
  collect(parser->feed("", {entry("\xF0\x9F")}));
  domain::EndReason reason = EndReason::Length;
  collect(parser->finish(reason));
  EXPECT_EQ(seen, (std::vector<std::string>{"Yes", " <", "b", "\xF0\x9F"}));
}

}  // namespace
}  // namespace fh::engine::llama
