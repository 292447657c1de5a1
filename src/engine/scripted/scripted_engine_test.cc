#include "engine/scripted/scripted_engine.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "engine/test_support.h"

namespace fh::engine {
namespace {

namespace d = domain;
using testing::ask;
using testing::message;
using testing::Recorder;

// A scripted engine on virtual time.
class Fixture {
 public:
  explicit Fixture(std::string_view text) {
    auto script = scripted::parse_script(text);
    EXPECT_TRUE(script) << script.error().message;
    ScriptedOptions options;
    options.script = *std::move(script);
    options.die = [this] { ++deaths; };
    engine.emplace(std::move(options), scheduler);
  }
  std::shared_ptr<Recorder> prepare(PrepareRequest request) {
    auto recorder = Recorder::make();
    engine->prepare(std::move(request), recorder->on_prepared());
    scheduler.run_ready(1);
    return recorder;
  }
  void start(const std::shared_ptr<Recorder>& recorder) {
    ASSERT_TRUE(recorder->prepared() && recorder->prepared()->has_value())
        << recorder->prepared()->error().message;
    engine->start(ticket(*recorder), recorder->on_event());
  }
  static Ticket ticket(const Recorder& recorder) { return (*recorder.prepared())->ticket; }
  std::shared_ptr<Recorder> run(PrepareRequest request) {
    auto recorder = prepare(std::move(request));
    start(recorder);
    scheduler.run_until_idle();
    EXPECT_EQ(recorder->fault(), "");
    EXPECT_EQ(recorder->terminals(), 1u);
    return recorder;
  }
  std::optional<base::Error> refusal(PrepareRequest request) {
    const auto recorder = prepare(std::move(request));
    if (recorder->prepared()->has_value()) return std::nullopt;
    return recorder->prepared()->error();
  }

  base::ManualClock clock;
  ManualScheduler scheduler{clock};
  std::optional<ScriptedEngine> engine;
  int deaths = 0;
};

std::vector<std::string> deltas(const Recorder& recorder) {
  std::vector<std::string> out;
  for (const auto& event : recorder.events()) {
    if (const auto* delta = std::get_if<d::TextDelta>(&event)) out.push_back(delta->text);
  }
  return out;
}

PrepareRequest with_tools(PrepareRequest request) {
  request.generation.conversation.tools = {testing::weather_tool(),
                                           {"now", "The time", "{}", false}};
  return request;
}

TEST(ScriptedEngine, AnswersWithoutAScript) {
  Fixture f("");
  const auto answer = f.run(ask("hi"));
  EXPECT_TRUE(answer->text().starts_with("Hello! This is the scripted engine"));
  EXPECT_EQ(deltas(*answer).size(), answer->finished()->usage.output);
  EXPECT_EQ(answer->finished()->reason, d::EndReason::Complete);
}

TEST(ScriptedEngine, FirstMatchingRuleAnswers) {
  Fixture f(R"(
on user "alpha" and times 1
  text "first"
on user "alpha" and not user "beta"
  text "second"
on request 4
  text "fourth"
on tenant "acme"
  echo
on model "scripted"
  text "model"
)");
  EXPECT_EQ(f.run(ask("alpha"))->text(), "first");
  EXPECT_EQ(f.run(ask("alpha"))->text(), "second");
  EXPECT_EQ(f.run(ask("alpha beta"))->text(), "alpha beta");
  EXPECT_EQ(f.run(ask("x"))->text(), "fourth");
  EXPECT_EQ(f.run(ask("x y", "others"))->text(), "model");
}

TEST(ScriptedEngine, SplitsTextByWordsOrCharacters) {
  Fixture words("on any\n text \"one two\\n three\"");
  EXPECT_EQ(deltas(*words.run(ask("x"))), (std::vector<std::string>{"one", " two", "\n three"}));
  Fixture chars("set split 2\non any\n text \"a\\u00e9\\u20acz!\"");
  EXPECT_EQ(deltas(*chars.run(ask("x"))),
            (std::vector<std::string>{"a\xC3\xA9", "\xE2\x82\xACz", "!"}));
}

TEST(ScriptedEngine, TokensMayCutCodePoints) {
  Fixture f(R"(on any
 token "a\xe2" "\x82" "\xacb")");
  const auto answer = f.run(ask("x"));
  EXPECT_EQ(deltas(*answer), (std::vector<std::string>{"a",
                                                       "\xE2\x82\xAC"
                                                       "b"}));
  EXPECT_EQ(answer->finished()->usage.output, 3u);
}

TEST(ScriptedEngine, ReasoningCountsAndCanBeTurnedOff) {
  Fixture f("on any\n reasoning \"let me see\"\n text \"done\"");
  const auto on = f.run(ask("x"));
  EXPECT_EQ(on->reasoning(), "let me see");
  EXPECT_EQ(on->finished()->usage.reasoning, 3u);
  EXPECT_EQ(on->finished()->usage.output, 4u);
  PrepareRequest quiet = ask("x");
  quiet.generation.conversation.reasoning.mode = d::Reasoning::Mode::Off;
  EXPECT_EQ(f.run(quiet)->reasoning(), "");
  PrepareRequest brief = ask("x");
  brief.generation.conversation.reasoning.budget_tokens = 1;
  EXPECT_EQ(f.run(brief)->reasoning(), "let");
}

TEST(ScriptedEngine, ToolCallsStreamTheirArguments) {
  Fixture f("on any\n text \"wait\"\n tool get_weather {\"city\": \"Paris\", \"days\": 3}");
  const auto answer = f.run(with_tools(ask("x")));
  ASSERT_EQ(answer->calls().size(), 1u);
  EXPECT_EQ(answer->calls()[0].arguments_json, R"({"city": "Paris", "days": 3})");
  EXPECT_TRUE(answer->calls()[0].id.starts_with("call_"));
  EXPECT_EQ(answer->finished()->reason, d::EndReason::ToolCall);
  EXPECT_GT(std::ranges::count_if(
                answer->events(),
                [](const d::Event& e) { return std::holds_alternative<d::ToolCallDelta>(e); }),
            2);
}

TEST(ScriptedEngine, CallsAToolByItselfAndReadsItsResult) {
  Fixture f("");
  PrepareRequest request = with_tools(ask("please use now"));
  const auto call = f.run(request);
  ASSERT_EQ(call->calls().size(), 1u);
  EXPECT_EQ(call->calls()[0].name, "now");
  EXPECT_EQ(call->calls()[0].arguments_json, "{}");
  auto& messages = request.generation.conversation.messages;
  messages.push_back({d::Role::Assistant, {call->calls()[0]}});
  messages.push_back(
      {d::Role::Tool, {d::ToolResultPart{call->calls()[0].id, "", "noon", false, {}}}});
  const auto answer = f.run(request);
  EXPECT_EQ(answer->text(), "The tool answered: noon");
  EXPECT_TRUE(answer->calls().empty());
  EXPECT_TRUE(f.run(with_tools(ask("hello")))->calls().empty());
}

TEST(ScriptedEngine, ToolChoiceIsHeld) {
  Fixture f("on user \"talk\"\n text \"words\"\non any\n tool now {}\n tool now {\"a\":1}");
  PrepareRequest request = with_tools(ask("talk"));
  d::ToolChoice& choice = request.generation.conversation.tool_choice;
  choice.mode = d::ToolChoice::Mode::Required;
  const auto required = f.run(request);
  ASSERT_EQ(required->calls().size(), 1u);
  EXPECT_EQ(required->calls()[0].name, "get_weather");
  EXPECT_EQ(required->calls()[0].arguments_json, R"({"city":"text"})");
  EXPECT_EQ(required->text(), "");
  EXPECT_EQ(required->finished()->reason, d::EndReason::ToolCall);

  choice = {d::ToolChoice::Mode::Named, "now", true};
  EXPECT_EQ(f.run(request)->calls().at(0).name, "now");
  choice.name = "missing";
  ASSERT_TRUE(f.refusal(request));
  EXPECT_EQ(f.refusal(request)->field, "tool_choice");

  PrepareRequest calls = with_tools(ask("x"));
  EXPECT_EQ(f.run(calls)->calls().size(), 2u);
  calls.generation.conversation.tool_choice.parallel = false;
  EXPECT_EQ(f.run(calls)->calls().size(), 1u);
  calls.generation.conversation.tool_choice.mode = d::ToolChoice::Mode::None;
  const auto none = f.run(calls);
  EXPECT_TRUE(none->calls().empty());
  EXPECT_FALSE(none->text().empty());
}

TEST(ScriptedEngine, UncheckedRulesMayMisbehave) {
  Fixture f("on any\n unchecked\n text \"no json\"");
  PrepareRequest request = with_tools(ask("x"));
  request.generation.conversation.tool_choice.mode = d::ToolChoice::Mode::Required;
  request.generation.conversation.format.kind = d::OutputFormat::Kind::JsonObject;
  EXPECT_EQ(f.run(request)->text(), "no json");
}

TEST(ScriptedEngine, JsonFormatsAreHeld) {
  Fixture f("on user \"own\"\n text \"{\\\"mine\\\": 1}\"\non any\n text \"prose\"");
  PrepareRequest request = ask("x");
  d::OutputFormat& format = request.generation.conversation.format;
  format = {d::OutputFormat::Kind::JsonSchema,
            R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})"};
  EXPECT_EQ(f.run(request)->text(), R"({"n":0})");
  format.kind = d::OutputFormat::Kind::JsonObject;
  EXPECT_TRUE(codec::json::Document::parse(f.run(request)->text()));
  format = {d::OutputFormat::Kind::JsonSchema, R"({"type":"string","pattern":"x"})"};
  ASSERT_TRUE(f.refusal(request));
  EXPECT_EQ(f.refusal(request)->field, "response_format");
  PrepareRequest own = ask("own");
  own.generation.conversation.format.kind = d::OutputFormat::Kind::JsonObject;
  EXPECT_EQ(f.run(own)->text(), R"({"mine": 1})");
}

TEST(ScriptedEngine, LengthAndContextAreToldApart) {
  Fixture f("set context_tokens 40\non any\n repeat 100 text \"w \"");
  PrepareRequest request = ask("x");
  request.generation.max_tokens = 5;
  const auto length = f.run(request);
  EXPECT_EQ(length->finished()->reason, d::EndReason::Length);
  EXPECT_EQ(length->finished()->usage.output, 5u);
  const auto context = f.run(ask("x"));
  EXPECT_EQ(context->finished()->reason, d::EndReason::ContextFull);
  EXPECT_EQ(context->finished()->usage.total(), 40u);
  EXPECT_EQ((*context->prepared())->max_output_tokens, 40 - (*context->prepared())->prompt_tokens);
}

TEST(ScriptedEngine, AToolCallCutByLengthStaysOpen) {
  Fixture f("on any\n tool now {\"a\": \"a long argument text\"}");
  PrepareRequest request = with_tools(ask("x"));
  request.generation.max_tokens = 2;
  const auto answer = f.run(request);
  EXPECT_EQ(answer->finished()->reason, d::EndReason::Length);
  const auto events = answer->events();
  EXPECT_FALSE(std::holds_alternative<d::ToolCallEnd>(events[events.size() - 2]));
}

TEST(ScriptedEngine, StopStringsSpanTokens) {
  Fixture f("set split 1\non any\n text \"one END two\"");
  PrepareRequest request = ask("x");
  request.generation.stop = {"END"};
  const auto answer = f.run(request);
  EXPECT_EQ(answer->text(), "one ");
  EXPECT_EQ(answer->finished()->reason, d::EndReason::Stop);
  EXPECT_EQ(answer->finished()->stop_sequence, "END");
  EXPECT_EQ(answer->finished()->usage.output, 7u);
}

TEST(ScriptedEngine, LogprobsFollowTheText) {
  Fixture f("set split 1\non any\n text \"abENDz\"");
  PrepareRequest request = ask("x");
  request.generation.logprobs = true;
  request.generation.top_logprobs = 3;
  request.generation.stop = {"END"};
  const auto answer = f.run(request);
  std::string tokens;
  for (const auto& event : answer->events()) {
    const auto* delta = std::get_if<d::TextDelta>(&event);
    if (delta == nullptr) continue;
    for (const auto& logprob : delta->logprobs) {
      tokens += logprob.token;
      EXPECT_LE(logprob.logprob, 0);
      ASSERT_EQ(logprob.top.size(), 3u);
      EXPECT_EQ(logprob.top[0].token, logprob.token);
      EXPECT_GT(logprob.top[0].logprob, logprob.top[2].logprob);
    }
  }
  EXPECT_EQ(tokens, "ab");
  request.generation.logprobs = false;
  for (const auto& event : f.run(request)->events()) {
    const auto* delta = std::get_if<d::TextDelta>(&event);
    if (delta != nullptr) EXPECT_TRUE(delta->logprobs.empty());
  }
}

TEST(ScriptedEngine, TimeIsTheSchedulers) {
  Fixture f("set prefill 1ms\nset pace 10ms\non any\n text \"a b\"\n delay 1s\n text \" c\"");
  const auto answer = f.prepare(ask("hello"));
  f.start(answer);
  const auto prompt = static_cast<std::int64_t>((*answer->prepared())->prompt_tokens);
  f.scheduler.advance(std::chrono::milliseconds(prompt));
  EXPECT_EQ(answer->text(), "a");
  f.scheduler.advance(std::chrono::milliseconds(20));
  EXPECT_EQ(answer->text(), "a b");
  f.scheduler.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(answer->text(), "a b");
  f.scheduler.run_until_idle();
  ASSERT_TRUE(answer->finished());
  EXPECT_EQ(answer->finished()->timings.prefill_ns, prompt * 1'000'000);
  EXPECT_EQ(answer->finished()->timings.decode_ns, 1'030'000'000);
  EXPECT_EQ(answer->finished()->timings.queue_ns, 0);
}

TEST(ScriptedEngine, FailsHangsAndDiesAsTold) {
  Fixture f(R"(
on user "fail"
  text "so far"
  fail unavailable "the card is gone" hint "try again"
on user "hang"
  text "so"
  hang
on user "die"
  die
on user "wedge"
  wedge
on user "refuse"
  refuse invalid_argument "not this" field "messages" reason "unwanted"
)");
  const auto failed = f.run(ask("fail"));
  ASSERT_TRUE(failed->failed());
  EXPECT_EQ(failed->failed()->error.message, "the card is gone");
  EXPECT_EQ(failed->failed()->usage.output, 2u);
  const auto hung = f.prepare(ask("hang"));
  f.start(hung);
  f.scheduler.run_until_idle();
  EXPECT_FALSE(hung->ended());
  f.engine->cancel(Fixture::ticket(*hung));
  f.scheduler.run_until_idle();
  ASSERT_TRUE(hung->finished());
  EXPECT_EQ(hung->finished()->reason, d::EndReason::ClientAbort);
  EXPECT_EQ(hung->finished()->usage.output, 1u);
  const auto wedged = f.prepare(ask("wedge"));
  f.start(wedged);
  f.scheduler.run_until_idle();
  f.engine->cancel(Fixture::ticket(*wedged));
  f.scheduler.run_until_idle();
  EXPECT_FALSE(wedged->ended());
  f.start(f.prepare(ask("die")));
  f.scheduler.run_until_idle();
  EXPECT_EQ(f.deaths, 1);
  ASSERT_TRUE(f.refusal(ask("refuse")));
  EXPECT_EQ(f.refusal(ask("refuse"))->reason, "unwanted");
  EXPECT_EQ(f.refusal(ask("refuse"))->field, "messages");
}

TEST(ScriptedEngine, QueuesThenRefuses) {
  Fixture f("set running_max 1\nset queue_max 1\nset pace 1ms\non any\n text \"a b c\"");
  const auto first = f.prepare(ask("x"));
  const auto second = f.prepare(ask("x"));
  const auto refused = f.refusal(ask("x"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, base::Code::ResourceExhausted);
  EXPECT_EQ(refused->reason, "queue_full");
  f.start(first);
  f.start(second);
  f.scheduler.run_ready();
  EXPECT_EQ(f.engine->status().running, 1u);
  EXPECT_EQ(f.engine->status().queued, 1u);
  EXPECT_EQ(second->events().size(), 0u);
  f.scheduler.run_until_idle();
  EXPECT_TRUE(first->finished() && second->finished());
  EXPECT_GT(second->finished()->timings.queue_ns, 0);
  EXPECT_EQ(f.engine->status().running, 0u);
  EXPECT_FALSE(f.refusal(ask("x")));
}

TEST(ScriptedEngine, ACancelledQueuedRequestCostsNothing) {
  Fixture f("set running_max 1\non any\n hang");
  const auto first = f.prepare(ask("x"));
  const auto second = f.prepare(ask("y"));
  f.start(first);
  f.start(second);
  f.scheduler.run_until_idle();
  f.engine->cancel(Fixture::ticket(*second));
  f.scheduler.run_until_idle();
  ASSERT_TRUE(second->finished());
  EXPECT_EQ(second->finished()->usage, d::Usage{});
  EXPECT_EQ(second->events().size(), 1u);
  f.engine->cancel(Fixture::ticket(*first));
  f.scheduler.run_until_idle();
  EXPECT_TRUE(first->finished());
  EXPECT_EQ(f.engine->status().running, 0u);
}

TEST(ScriptedEngine, TheNextTurnReusesThisOne) {
  Fixture f("on any\n text \"" + std::string(400, 'z') + "\"");
  PrepareRequest request = ask(std::string(1000, 'q'));
  const auto first = f.run(request);
  EXPECT_EQ(first->finished()->usage.cache_read, 0u);
  EXPECT_GT(first->finished()->usage.cache_write_5m, 200u);
  EXPECT_LT(first->finished()->usage.input_uncached, 16u);
  auto& messages = request.generation.conversation.messages;
  messages.push_back(message(d::Role::Assistant, first->text()));
  messages.push_back(message(d::Role::User, "and now?"));
  const auto second = f.run(request);
  const auto usage = second->finished()->usage;
  EXPECT_GE(usage.cache_read, first->finished()->usage.prompt_total() + 90);
  EXPECT_LT(second->finished()->work.computed, 32u);
  EXPECT_EQ(usage.prompt_total(), (*second->prepared())->prompt_tokens);
  const auto again = f.run(request);
  EXPECT_EQ(again->finished()->usage.cache_write(), 0u);
}

TEST(ScriptedEngine, CachedOverridesTheModel) {
  Fixture f("on user \"some\"\n cached 7\non any\n cached 100000");
  EXPECT_EQ(f.run(ask("some " + std::string(100, 'x')))->finished()->usage.cache_read, 7u);
  const auto all = f.run(ask("x"));
  EXPECT_EQ(all->finished()->usage.cache_read, (*all->prepared())->prompt_tokens - 1);
}

TEST(ScriptedEngine, ImagesNeedTheSetting) {
  PrepareRequest request = ask("look");
  request.generation.conversation.messages[0].parts.push_back(
      d::ImagePart{"image/png", "QUJD", ""});
  Fixture blind("on any\n text \"ok\"");
  const auto error = blind.refusal(request);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, base::Code::InvalidArgument);
  EXPECT_EQ(error->reason, "images_unsupported");
  Fixture seeing("set images on\non image\n text \"a picture\"");
  EXPECT_EQ(seeing.run(request)->text(), "a picture");
  request.generation.conversation.messages[0].parts.push_back(d::OpaquePart{"document"});
  EXPECT_TRUE(seeing.refusal(request));
}

TEST(ScriptedEngine, OverflowNamesTheTools) {
  Fixture f("set context_tokens 50");
  const auto error = f.refusal(with_tools(ask(std::string(400, 'x'))));
  ASSERT_TRUE(error);
  const auto overflow = overflow_of(*error);
  ASSERT_TRUE(overflow);
  EXPECT_EQ(overflow->context_tokens, 50u);
  EXPECT_GT(overflow->tool_tokens, 10u);
  EXPECT_GT(overflow->prompt_tokens, overflow->tool_tokens + 100);
}

TEST(ScriptedEngine, IsDeterministic) {
  const auto once = [] {
    Fixture f("on any\n repeat 3 text \"a b\"\n tool now {}");
    const auto answer = f.run(with_tools(ask("x")));
    return std::pair(answer->text(), answer->calls()[0].id);
  };
  EXPECT_EQ(once(), once());
}

TEST(ScriptedEngine, NothingIsCalledAfterItsEnd) {
  Fixture f("on any\n hang");
  const auto answer = f.prepare(ask("x"));
  f.start(answer);
  f.engine.reset();
  f.scheduler.run_until_idle();
  EXPECT_TRUE(answer->events().empty());
}

}  // namespace
}  // namespace fh::engine
