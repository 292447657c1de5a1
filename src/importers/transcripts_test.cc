// Goal: coding tools' logs give exact totals: the known answers of a public transcript, and every
// rule of folding, replay and repetition on hand-made files. Method: reference numbers, and for
// each rule a file in which breaking it changes a sum.

#include <gtest/gtest.h>

#include "importers/claude_code.h"
#include "importers/codex.h"
#include "importers/gemini_cli.h"
#include "importers/test_sink.h"

namespace fh::importers {
namespace {

using test::format_of;
using test::KeepingSink;
using test::read_with;

constexpr std::string_view kSession =
    "tracelab/claude-projects/-workspace-project/claude-session-01.jsonl";

// One line of a transcript.
struct Answer {
  std::string id = "msg_1", request = "req_1";
  int input = 10, write = 0, read = 100, output = 5;
  bool sidechain = false;
  std::string more = {};  // further members of usage
};

std::string line(const Answer& a, const std::string& time = "2026-06-01T05:40:29.420Z") {
  std::string out = R"({"parentUuid":"u0","isSidechain":)";
  out += a.sidechain ? "true" : "false";
  out +=
      R"(,"message":{"model":"claude-opus-4-8","id":")" + a.id +
      R"(","type":"message","role":"assistant","content":[{"type":"text","text":"say \"usage\": {\"output_tokens\":9}"}],"usage":{"input_tokens":)" +
      std::to_string(a.input) + R"(,"cache_creation_input_tokens":)" + std::to_string(a.write) +
      R"(,"cache_read_input_tokens":)" + std::to_string(a.read) + R"(,"output_tokens":)" +
      std::to_string(a.output) + a.more + R"(}},"type":"assistant","uuid":"u1","timestamp":")" +
      time + R"(","cwd":"/home/somebody/projects/shop","sessionId":"s-1")";
  if (!a.request.empty()) out += R"(,"requestId":")" + a.request + "\"";
  return out + "}\n";
}

KeepingSink read_lines(const std::string& text) {
  const KeepingSink whole = read_with(claude_code_format(), text);
  for (const std::size_t piece : {1, 3, 64, 1000}) {
    const KeepingSink cut = read_with(claude_code_format(), text, piece);
    EXPECT_EQ(cut.sum(), whole.sum());
    EXPECT_EQ(cut.skips, whole.skips);
  }
  return whole;
}

TEST(ClaudeCode, KnownTotalsOfAPublicTranscript) {
  const std::string text = test::file_bytes(test::validation_path(kSession));
  EXPECT_EQ(format_of(text), "claude-code");
  for (const std::size_t piece : {std::size_t{0}, std::size_t{1}, std::size_t{777}}) {
    const KeepingSink sink = read_with(claude_code_format(), text, piece);
    EXPECT_TRUE(sink.skips.empty());
    EXPECT_EQ(sink.records.size(), 10U);
    EXPECT_EQ(sink.sum().input_uncached, 3'039U);
    EXPECT_EQ(sink.sum().cache_write_5m, 21'086U);
    EXPECT_EQ(sink.sum().cache_write_1h, 0U);
    EXPECT_EQ(sink.sum().cache_read, 394'068U);
    EXPECT_EQ(sink.sum().output, 9'423U);
  }
}

TEST(ClaudeCode, FieldsOfARecord) {
  const KeepingSink sink = read_lines(line(
      {.write = 10,
       .more =
           R"(,"cache_creation":{"ephemeral_1h_input_tokens":7,"ephemeral_5m_input_tokens":3},"server_tool_use":{"web_search_requests":2},"service_tier":"priority","speed":"standard","inference_geo":"us")"}));
  ASSERT_EQ(sink.records.size(), 1U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.source_id, "msg_1");
  EXPECT_EQ(r.format, "claude-code");
  EXPECT_EQ(r.provider, "anthropic");
  EXPECT_EQ(r.model, "claude-opus-4-8");
  EXPECT_EQ(base::format_rfc3339(r.start_unix_ns), "2026-06-01T05:40:29.420Z");
  EXPECT_EQ(r.granularity, domain::Granularity::Request);
  EXPECT_EQ(r.requests, 1U);
  EXPECT_EQ(r.usage.cache_write_5m, 3U);
  EXPECT_EQ(r.usage.cache_write_1h, 7U);
  EXPECT_EQ(r.web_searches, 2U);
  EXPECT_EQ(r.tier, domain::ServiceTier::Priority);
  EXPECT_EQ(r.region, "us");
  EXPECT_EQ(r.session, "s-1");
  EXPECT_EQ(r.workspace, "shop");
  EXPECT_FALSE(r.reported_cost.has_value());
  EXPECT_EQ(r.line, 1U);
}

TEST(ClaudeCode, RepeatedLinesCountOnceAndTheLargestStays) {
  const KeepingSink sink = read_lines(line({.output = 1}) + line({.output = 40}) +
                                      line({.output = 7}) + line({.id = "msg_2"}));
  ASSERT_EQ(sink.records.size(), 2U);
  EXPECT_EQ(sink.records[0].usage.output, 40U);
  EXPECT_EQ(sink.sum().output, 45U);
}

TEST(ClaudeCode, TimeSpansTheLinesOfAnAnswer) {
  const KeepingSink sink =
      read_lines(line({}, "2026-06-01T05:40:30Z") + line({.output = 9}, "2026-06-01T05:40:31Z"));
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(base::format_rfc3339(sink.records[0].start_unix_ns), "2026-06-01T05:40:30.000Z");
  EXPECT_EQ(base::format_rfc3339(sink.records[0].end_unix_ns), "2026-06-01T05:40:31.000Z");
}

TEST(ClaudeCode, SideConversationsReplayTheParent) {
  // New request id, larger numbers: still the parent's answer, with the parent's numbers.
  const std::string main = line({.output = 5});
  const std::string side = line({.request = "req_9", .output = 50, .sidechain = true});
  EXPECT_EQ(read_lines(main + side).sum().output, 5U);
  EXPECT_EQ(read_lines(side + main).sum().output, 5U);
  const KeepingSink own = read_lines(line({.id = "msg_7", .sidechain = true}));
  ASSERT_EQ(own.records.size(), 1U);
  EXPECT_EQ(own.records[0].workload, "sub-agent");
}

TEST(ClaudeCode, OneMessageIdWithTwoRequestsIsTwoAnswers) {
  const KeepingSink sink = read_lines(line({}) + line({.request = "req_2"}) +
                                      line({.request = "req_2"}) + line({.request = ""}));
  ASSERT_EQ(sink.records.size(), 2U);
  EXPECT_EQ(sink.records[0].source_id, "msg_1");
  EXPECT_EQ(sink.records[1].source_id, "msg_1/req_2");
}

TEST(ClaudeCode, WhatIsNotUsage) {
  std::string text = line({});
  text +=
      R"({"type":"user","message":{"role":"user","content":"x","usage":{"input_tokens":5}},"timestamp":"2026-06-01T05:40:29Z","sessionId":"s"})"
      "\n";
  text +=
      R"({"type":"assistant","toolUseResult":{"usage":{"output_tokens":70}},"message":{"id":"m","content":[]},"timestamp":"2026-06-01T05:40:29Z"})"
      "\n";
  text +=
      R"({"type":"assistant","isApiErrorMessage":true,"message":{"id":"m","model":"<synthetic>","usage":{"output_tokens":1}},"timestamp":"2026-06-01T05:40:29Z"})"
      "\n";
  text += "\n\n";
  const KeepingSink sink = read_lines(text);
  EXPECT_EQ(sink.records.size(), 1U);
  EXPECT_TRUE(sink.skips.empty());
}

TEST(ClaudeCode, BadLinesAreNamedAndGoodOnesKept) {
  const std::string good = line({});
  std::string text = good.substr(0, good.size() - 40) + "\n";  // 1: cut
  text += line({.id = "msg_2"});
  text += line({.id = "msg_3"}, "yesterday");                         // 3: no time
  text += line({.id = "msg_4", .input = -5});                         // 4: no count
  text += line({.id = "msg_5", .more = R"(,"output_tokens":1e30)"});  // 5: no count
  text += line({.id = "msg_6"});
  const KeepingSink sink = read_lines(text);
  EXPECT_EQ(sink.records.size(), 2U);
  ASSERT_EQ(sink.skips.size(), 4U);
  EXPECT_EQ(sink.skips[0], (test::KeptSkip{1, "damaged JSON"}));
  EXPECT_EQ(sink.skips[1].line, 3U);
  EXPECT_EQ(sink.skips[2].line, 4U);
  EXPECT_EQ(sink.skips[3].line, 5U);
  for (const test::KeptSkip& skip : sink.skips) {
    EXPECT_EQ(skip.why.find("yesterday"), std::string::npos);
  }
}

TEST(ClaudeCode, MoreAnswersThanAreHeld) {
  std::string text;
  for (int i = 0; i < 40'000; ++i)
    text += line({.id = "msg_" + std::to_string(i / 2), .output = 1});
  const KeepingSink sink = read_with(claude_code_format(), text, 1 << 20);
  EXPECT_EQ(sink.records.size(), 20'000U);
  EXPECT_EQ(sink.sum().output, 20'000U);
}

TEST(ClaudeCode, OldCostsAreEstimates) {
  std::string text = line({});
  text.insert(text.size() - 2, R"(,"costUSD":0.0123)");
  const KeepingSink sink = read_lines(text);
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].reported_cost, domain::MicroUsd{12'300});
  EXPECT_EQ(sink.records[0].cost_kind, domain::CostKind::Estimate);
}

// As tools save records that show them: a list, or each over several lines.
std::string over_lines(std::string text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    const bool member = text[at] == ',' && text.substr(at + 1, 1) == "\"" && text[at - 1] != '\\';
    if (member || (text[at] == '{' && (at == 0 || text[at - 1] == '\n'))) out += "\n  ";
  }
  return out;
}

std::string as_list(std::string text) {
  for (std::size_t at = text.find("}\n{"); at != std::string::npos; at = text.find("}\n{")) {
    text.replace(at, 3, "},{");
  }
  return "[" + text + "]";
}

TEST(ClaudeCode, AListAndRecordsOverSeveralLines) {
  const std::string lines = line({.output = 1}) + line({.output = 40}) + line({.id = "msg_2"});
  for (const std::string& text :
       {as_list(lines), over_lines(lines), "===== record 1 =====\n" + over_lines(lines)}) {
    EXPECT_EQ(format_of(text), "claude-code");
    for (const std::size_t piece : {1, 64, 100'000}) {
      const KeepingSink sink = read_with(claude_code_format(), text, piece);
      EXPECT_EQ(sink.records.size(), 2U) << text;
      EXPECT_EQ(sink.sum().output, 45U);
      EXPECT_LE(sink.skips.size(), 1U);
    }
  }
}

std::string codex_counts(int in, int cached, int out, int reasoning) {
  return R"({"input_tokens":)" + std::to_string(in) + R"(,"cached_input_tokens":)" +
         std::to_string(cached) + R"(,"output_tokens":)" + std::to_string(out) +
         R"(,"reasoning_output_tokens":)" + std::to_string(reasoning) + R"(,"total_tokens":)" +
         std::to_string(in + out) + "}";
}

std::string codex_event(const std::string& time, const std::string& total,
                        const std::string& last) {
  std::string info = "null";
  if (!total.empty() || !last.empty()) {
    info = "{";
    if (!total.empty()) info += R"("total_token_usage":)" + total;
    if (!total.empty() && !last.empty()) info += ",";
    if (!last.empty()) info += R"("last_token_usage":)" + last;
    info += R"(,"model_context_window":258400})";
  }
  return R"({"timestamp":")" + time +
         R"(","type":"event_msg","payload":{"type":"token_count","info":)" + info +
         R"(,"rate_limits":null}})"
         "\n";
}

const std::string kCodexHead =
    R"({"timestamp":"2026-03-21T10:00:00.000Z","type":"session_meta","payload":{"id":"sess-1","cwd":"/home/x/shop","model_provider":"openai","source":"cli"}})"
    "\n"
    R"({"timestamp":"2026-03-21T10:00:00.100Z","type":"turn_context","payload":{"model":"gpt-6.1-sol","cwd":"/home/x/shop"}})"
    "\n";

TEST(Codex, LastStepCountsAndClassesAreDisjoint) {
  const std::string text = kCodexHead +
                           codex_event("2026-03-21T10:00:05Z", codex_counts(9324, 6912, 444, 199),
                                       codex_counts(9324, 6912, 444, 199)) +
                           codex_event("2026-03-21T10:00:09Z", codex_counts(19241, 16512, 538, 210),
                                       codex_counts(9917, 9600, 94, 11));
  EXPECT_EQ(format_of(text), "codex");
  const KeepingSink sink = read_with(codex_format(), text, 11);
  ASSERT_EQ(sink.records.size(), 2U);
  const domain::UsageRecord& r = sink.records[1];
  EXPECT_EQ(r.usage.input_uncached, 317U);
  EXPECT_EQ(r.usage.cache_read, 9600U);
  EXPECT_EQ(r.usage.output, 94U);
  EXPECT_EQ(r.usage.reasoning, 11U);
  EXPECT_EQ(r.model, "gpt-6.1-sol");
  EXPECT_EQ(r.provider, "openai");
  EXPECT_EQ(r.session, "sess-1");
  EXPECT_EQ(r.workspace, "shop");
  EXPECT_EQ(sink.sum().prompt_total(), 19'241U);
  EXPECT_EQ(sink.sum().output, 538U);
}

TEST(Codex, WithoutALastStepTheTotalsGrowth) {
  const std::string text = kCodexHead +
                           codex_event("2026-03-21T10:00:05Z", codex_counts(100, 20, 10, 0), "") +
                           codex_event("2026-03-21T10:00:06Z", codex_counts(250, 90, 30, 5), "") +
                           codex_event("2026-03-21T10:00:07Z", codex_counts(40, 0, 4, 0), "");
  const KeepingSink sink = read_with(codex_format(), text);
  ASSERT_EQ(sink.records.size(), 3U);
  EXPECT_EQ(sink.records[1].usage.prompt_total(), 150U);
  EXPECT_EQ(sink.records[1].usage.cache_read, 70U);
  EXPECT_EQ(sink.records[2].usage.prompt_total(), 40U);  // the total began anew
}

TEST(Codex, RepetitionsLimitsAndEmptyStepsDoNotCount) {
  const std::string step = codex_counts(100, 20, 10, 0);
  const std::string text = kCodexHead + codex_event("2026-03-21T10:00:05Z", step, step) +
                           codex_event("2026-03-21T10:00:06Z", step, step) +
                           codex_event("2026-03-21T10:00:07Z", "", "") +
                           codex_event("2026-03-21T10:00:08Z", "", codex_counts(0, 0, 0, 0));
  const KeepingSink sink = read_with(codex_format(), text);
  EXPECT_EQ(sink.records.size(), 1U);
  EXPECT_TRUE(sink.skips.empty());
}

TEST(Codex, ASubAgentsReplayIsPassedOver) {
  const std::string meta =
      R"({"timestamp":"2026-03-21T10:00:00.000Z","type":"session_meta","payload":{"id":"sub-1","source":{"subagent":{"thread_spawn":{"parent_thread_id":"sess-1"}}}}})"
      "\n";
  const std::string text = meta +
                           codex_event("2026-03-21T10:00:00.400Z", codex_counts(500, 0, 50, 0),
                                       codex_counts(500, 0, 50, 0)) +
                           codex_event("2026-03-21T10:00:03Z", codex_counts(600, 400, 57, 0),
                                       codex_counts(100, 400 - 400, 7, 0));
  const KeepingSink sink = read_with(codex_format(), text);
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.sum().output, 7U);
  EXPECT_EQ(sink.records[0].workload, "sub-agent");
}

// Words in a prompt make no sub-agent of a session.
TEST(Codex, ASessionThatSpeaksOfSubAgentsIsNone) {
  const std::string said =
      R"({"timestamp":"2026-03-21T10:00:00.200Z","type":"response_item","payload":{"text":"\"thread_spawn\": and thread_spawn"}})"
      "\n";
  const KeepingSink sink = read_with(
      codex_format(),
      kCodexHead + said + codex_event("2026-03-21T10:00:00.900Z", "", codex_counts(9, 0, 3, 0)));
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].workload, "");
}

// A fork's log may repeat the history with the time at which it was made, or with the old times.
TEST(Codex, AForksReplayIsPassedOverAndOldTimesAreNot) {
  const std::string meta =
      R"({"timestamp":"2026-03-21T11:00:00.000Z","type":"session_meta","payload":{"id":"f","forked_from_id":"sess-1"}})"
      "\n";
  const std::string step = codex_counts(500, 0, 50, 0), more = codex_counts(600, 400, 57, 0);
  const std::string own = codex_event("2026-03-21T11:00:09Z", more, codex_counts(100, 0, 7, 0));
  const KeepingSink replay =
      read_with(codex_format(), meta + codex_event("2026-03-21T11:00:00.004Z", step, step) + own);
  EXPECT_EQ(replay.sum().output, 7U);
  const KeepingSink old =
      read_with(codex_format(), meta + codex_event("2026-03-21T10:00:05Z", step, step) + own);
  EXPECT_EQ(old.sum().output, 57U);
  const std::string fresh = R"({"timestamp":"2026-03-21T11:00:00.000Z","type":"session_meta",)"
                            R"("payload":{"id":"f","forked_from_id":null}})"
                            "\n";
  const KeepingSink quick =
      read_with(codex_format(), fresh + codex_event("2026-03-21T11:00:00.9Z", step, step));
  EXPECT_EQ(quick.sum().output, 50U) << "no fork";
}

TEST(Codex, TheEventsOwnModelCounts) {
  std::string event = codex_event("2026-03-21T10:00:05Z", "", codex_counts(9, 0, 3, 0));
  event.insert(event.find(R"("model_context_window")"), R"("model":"gpt-6-luna",)");
  const KeepingSink sink = read_with(
      codex_format(),
      kCodexHead + event + codex_event("2026-03-21T10:00:06Z", "", codex_counts(9, 0, 4, 0)));
  ASSERT_EQ(sink.records.size(), 2U);
  EXPECT_EQ(sink.records[0].model, "gpt-6-luna");
  EXPECT_EQ(sink.records[1].model, "gpt-6.1-sol");
}

TEST(Codex, UnixTimesAndRecordsOverSeveralLines) {
  std::string event = codex_event("?", "", codex_counts(9, 0, 3, 0));
  event.replace(event.find("\"?\""), 3, "1774087569250");
  const std::string lines = kCodexHead + event;
  for (const std::string& text : {lines, over_lines(lines), as_list(lines)}) {
    EXPECT_EQ(format_of(text), "codex") << text;
    const KeepingSink sink = read_with(codex_format(), text, 17);
    EXPECT_TRUE(sink.skips.empty());
    ASSERT_EQ(sink.records.size(), 1U) << text;
    EXPECT_EQ(sink.records[0].start_unix_ns, 1'774'087'569'250'000'000);
    EXPECT_EQ(sink.records[0].model, "gpt-6.1-sol");
  }
}

TEST(Codex, ACopyHasTheSameIdentity) {
  const std::string event = codex_event("2026-03-21T10:00:05Z", "", codex_counts(100, 20, 10, 0));
  const KeepingSink one = read_with(codex_format(), kCodexHead + event);
  const KeepingSink other = read_with(
      codex_format(),
      R"({"timestamp":"2026-03-22T10:00:00Z","type":"session_meta","payload":{"id":"fork"}})"
      "\n" +
          event);
  ASSERT_EQ(one.records.size(), 1U);
  ASSERT_EQ(other.records.size(), 1U);
  EXPECT_EQ(one.records[0].source_id, other.records[0].source_id);
}

TEST(Codex, BadEventsAreNamed) {
  const std::string text =
      kCodexHead + codex_event("2026-03-21T10:00:05Z", "", codex_counts(10, 20, 1, 0)) +
      codex_event("?", "", codex_counts(10, 2, 1, 0)) + "{\"type\":\"token_count\", \"cut\": [\n" +
      codex_event("2026-03-21T10:00:06Z", "", codex_counts(10, 2, 1, 9));
  const KeepingSink sink = read_with(codex_format(), text, 5);
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_LE(sink.records[0].usage.reasoning, sink.records[0].usage.output);
  EXPECT_EQ(sink.skips.size(), 3U);
}

constexpr std::string_view kExec =
    R"({"type":"thread.started","thread_id":"t1"}
{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":50,"output_tokens":7}}
{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":50,"output_tokens":7}}
)";

TEST(Codex, ExecOutputHasTheTimeOfItsFile) {
  EXPECT_EQ(format_of(kExec), "codex");
  std::vector<std::string> ids;
  for (const std::int64_t time : {1'774'087'569'000'000'000, 1'775'000'000'000'000'000}) {
    KeepingSink sink;
    auto importer = codex_format().open({"out.jsonl", kExec, time}, {});
    ASSERT_TRUE(importer.has_value());
    (*importer)->feed(kExec, sink);
    (*importer)->finish(sink);
    EXPECT_TRUE(sink.skips.empty());
    ASSERT_EQ(sink.records.size(), 2U);
    EXPECT_EQ(sink.records[0].start_unix_ns, time);
    EXPECT_EQ(sink.records[0].usage.input_uncached, 50U);
    EXPECT_EQ(sink.records[0].session, "t1");
    EXPECT_NE(sink.records[0].source_id, sink.records[1].source_id);
    ids.push_back(sink.records[1].source_id);
  }
  EXPECT_EQ(ids[0], ids[1]) << "a copy of the file is the same";
}

TEST(Codex, ExecOutputOfAnUnknownTimeIsNamed) {
  const KeepingSink sink = read_with(codex_format(), kExec);
  EXPECT_TRUE(sink.records.empty());
  EXPECT_EQ(sink.skips, (std::vector<test::KeptSkip>{{2, "usage without a time"},
                                                     {3, "usage without a time"}}));
}

TEST(GeminiCli, WholeFileAndLines) {
  const std::string message =
      R"({"id":"m1","timestamp":"2026-07-01T08:00:00.000Z","type":"gemini","content":"text","thoughts":[{"subject":"s"}],"tokens":{"input":1000,"output":50,"cached":600,"thoughts":30,"tool":0,"total":1080},"model":"gemini-3.8-flash"})";
  const std::string user =
      R"({"id":"m0","timestamp":"2026-07-01T08:00:00.000Z","type":"user","content":"hi"})";
  const std::string chat =
      R"({"sessionId":"g-1","projectHash":"ab","startTime":"2026-07-01T07:59:00Z","messages":[)" +
      user + "," + message + "]}";
  const std::string lines = R"({"sessionId":"g-1","projectHash":"ab"})"
                            "\n" +
                            user + "\n" + message + "\n";
  for (const std::string& text : {chat, lines}) {
    EXPECT_EQ(format_of(text), "gemini-cli");
    const KeepingSink sink = read_with(gemini_cli_format(), text, 9);
    ASSERT_EQ(sink.records.size(), 1U) << text;
    const domain::UsageRecord& r = sink.records[0];
    EXPECT_EQ(r.source_id, "m1");
    EXPECT_EQ(r.provider, "google");
    EXPECT_EQ(r.usage.input_uncached, 400U);
    EXPECT_EQ(r.usage.cache_read, 600U);
    EXPECT_EQ(r.usage.output, 80U);
    EXPECT_EQ(r.usage.reasoning, 30U);
    EXPECT_TRUE(sink.skips.empty());
  }
}

TEST(GeminiCli, SumsOfARunHaveTheTimeOfItsFile) {
  constexpr std::string_view kRun = R"({
  "session_id": "g-9",
  "response": "\"candidates\": 7",
  "stats": {"models": {
    "gemini-2.5-pro": {"api": {"totalRequests": 2, "totalErrors": 0, "totalLatencyMs": 5053},
      "tokens": {"prompt": 24939, "candidates": 20, "total": 25113, "cached": 21263, "thoughts": 154, "tool": 0}},
    "gemini-2.5-flash": {"api": {"totalRequests": 1}, "tokens": {"prompt": 8, "candidates": 3}},
    "gemini-2.5-lite": {"api": {"totalRequests": 1}, "tokens": {"prompt": 8, "cached": 9}}
  }, "tools": {"totalCalls": 1}}
})";
  EXPECT_EQ(format_of(kRun), "gemini-cli");
  KeepingSink sink;
  auto importer = gemini_cli_format().open({"run.json", kRun, 1'774'087'569'000'000'000}, {});
  ASSERT_TRUE(importer.has_value());
  (*importer)->feed(kRun, sink);
  (*importer)->finish(sink);
  EXPECT_EQ(sink.skips.size(), 1U);
  ASSERT_EQ(sink.records.size(), 2U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.model, "gemini-2.5-pro");
  EXPECT_EQ(r.usage.input_uncached, 3676U);
  EXPECT_EQ(r.usage.cache_read, 21'263U);
  EXPECT_EQ(r.usage.output, 174U);
  EXPECT_EQ(r.usage.reasoning, 154U);
  EXPECT_EQ(r.requests, 2U);
  EXPECT_EQ(r.granularity, domain::Granularity::Minute) << "no prompt's length is told";
  EXPECT_EQ(r.start_unix_ns, 1'774'087'569'000'000'000);
  EXPECT_EQ(sink.records[1].usage.output, 3U);
  EXPECT_EQ(read_with(gemini_cli_format(), kRun).skips.size(), 3U) << "of an unknown time";
}

// Files that went through another program have blanks between their members.
TEST(Transcripts, AreRecognisedHoweverTheirJsonIsSet) {
  for (const std::string_view text :
       {R"({"type": "assistant", "sessionId": "s", "isSidechain": false})",
        R"({ "type" : "user", "sessionId" :"s", "parentUuid" : null})",
        R"({"type": "summary", "summary": "x", "leafUuid": "u"})"}) {
    EXPECT_EQ(format_of(text), "claude-code") << text;
  }
  for (const std::string_view text :
       {R"({"timestamp": "t", "type": "session_meta", "payload": {"id": "s"}})",
        R"({"timestamp": "t", "type" : "event_msg", "payload" : {"type": "token_count"}})"}) {
    EXPECT_EQ(format_of(text), "codex") << text;
  }
  const std::string damaged(30, '\0');
  EXPECT_EQ(
      format_of(damaged + "\nent\":1}\n" + R"({"type":"user","sessionId":"s","parentUuid":null})"),
      "claude-code");
  EXPECT_EQ(format_of("id,text\n1,\"{\"\"sessionId\"\":\"\"s\"\",\n{\"\"parentUuid\"\":1\"\n"), "");
  EXPECT_EQ(format_of(R"({"note": "\"sessionId\": and \"isSidechain\":"})"), "");
}

}  // namespace
}  // namespace fh::importers
