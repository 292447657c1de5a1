// What probing finds out about templates with known traits.
#include "engine/llama/profile.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/memory_budget.h"
#include "engine/llama/chat_test_templates.h"

namespace fh::engine::llama {
namespace {

Profile probe(std::string_view source, std::string_view architecture = "") {
  const auto runner = TemplateRunner::create(source, "<s>", "</s>");
  EXPECT_TRUE(runner.has_value());
  return probe_profile(**runner, architecture);
}

TEST(Profile, Plain) {
  const Profile profile = probe(kPlainTemplate);
  EXPECT_EQ(profile.tools, ToolFormat::Described);
  EXPECT_TRUE(profile.system_first);
  EXPECT_TRUE(profile.system_anywhere);
  EXPECT_TRUE(profile.repeats);
  EXPECT_TRUE(profile.assistant_first);
  EXPECT_FALSE(profile.think);
}

TEST(Profile, Strict) {
  const Profile profile = probe(kStrictTemplate);
  EXPECT_TRUE(profile.system_first);
  EXPECT_FALSE(profile.system_anywhere);
  EXPECT_FALSE(profile.repeats);
  EXPECT_FALSE(profile.assistant_first);
}

TEST(Profile, NoSystem) {
  const Profile profile = probe(kNoSystemTemplate);
  EXPECT_FALSE(profile.system_first);
  EXPECT_FALSE(profile.system_anywhere);
}

TEST(Profile, Hermes) {
  const Profile profile = probe(kHermesTemplate);
  EXPECT_EQ(profile.tools, ToolFormat::Hermes);
  EXPECT_TRUE(profile.user_after_tool);
  ASSERT_TRUE(profile.think);
  EXPECT_EQ(profile.think->end, "</think>");
  EXPECT_TRUE(profile.think_switch);
  EXPECT_FALSE(profile.think_opened);
  EXPECT_TRUE(profile.history_reasoning);
}

TEST(Profile, ThinkingOpened) {
  const Profile profile = probe(kThinkingTemplate);
  EXPECT_TRUE(profile.think_opened);
  EXPECT_FALSE(profile.think_switch);
  EXPECT_FALSE(profile.history_reasoning);
}

TEST(Profile, Native) {
  EXPECT_EQ(probe(kNativeTemplate).tools, ToolFormat::Native);
}

TEST(Profile, HoistedSystemsAreNotInPlace) {
  // The template gathers every system text in front: that is not "anywhere".
  const Profile profile = probe(
      "{%- for m in messages %}{%- if m.role == 'system' %}{{ m.content }}{%- endif %}{%- endfor %}"
      "{%- for m in messages %}{%- if m.role != 'system' %}{{ m.content }}{%- endif %}{%- endfor "
      "%}");
  EXPECT_TRUE(profile.system_first);
  EXPECT_FALSE(profile.system_anywhere);
}

TEST(Profile, Families) {
  EXPECT_TRUE(probe(kHermesTemplate, "qwen2").lenient_calls);
  EXPECT_TRUE(probe(kHermesTemplate, "qwen2").fenced_calls);
  EXPECT_TRUE(probe(kHermesTemplate, "qwen2").system_leads);
  EXPECT_FALSE(probe(kHermesTemplate, "qwen3").system_leads);
  EXPECT_FALSE(probe(kHermesTemplate, "qwen3").lenient_calls);
  EXPECT_FALSE(probe(kPlainTemplate, "llama").fenced_calls);
  EXPECT_TRUE(probe(kPlainTemplate, "llama").lenient_calls);
}

TEST(Profile, ThinkTags) {
  EXPECT_EQ(find_think_tags("... [/THINK] ...")->start, "[THINK]");
  EXPECT_FALSE(find_think_tags("nothing"));
}

TEST(TemplateRunner, RefusesWhatCannotBeATemplate) {
  EXPECT_FALSE(TemplateRunner::create("{% if %}", "", ""));
  EXPECT_FALSE(TemplateRunner::create("{{ " + std::string(5000, '(') + " }}", "", ""));
  EXPECT_FALSE(TemplateRunner::create(std::string(kTemplateBytesMax + 1, 'x'), "", ""));
}

std::string nested_loops(std::string_view condition) {
  std::string out = "{% if " + std::string(condition) + " %}{% set a = range(500) %}";
  for (const char* name : {"b", "c", "d", "e", "f", "g"}) {
    out += "{% for " + std::string(name) + " in a %}";
  }
  for (int i = 0; i < 6; ++i) out += "{% endfor %}";
  return out + "{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}";
}

// Loops that would take years and macros without end: an error, at once when they always are like
// that, otherwise for the conversation that wakes them.
TEST(TemplateRunner, EndlessTemplatesAreStopped) {
  TemplateLimits limits;
  limits.base = std::chrono::milliseconds(20);
  const auto always = TemplateRunner::create(nested_loops("true"), "", "", limits);
  ASSERT_FALSE(always);
  EXPECT_EQ(always.error().code, base::Code::FailedPrecondition);
  EXPECT_NE(always.error().message.find("too long"), std::string::npos);

  PromptMessage user;
  user.role = "user";
  user.text = "hello";
  const auto run = [&](std::string_view source) {
    const auto runner = TemplateRunner::create(source, "", "", limits);
    EXPECT_TRUE(runner) << source;
    if (!runner) return std::string();
    const auto calm = (*runner)->run({user}, {});
    EXPECT_TRUE(calm && *calm == "hello") << source;
    PromptMessage waking = user;
    waking.text = "wake";
    const auto text = (*runner)->run({waking}, {});
    EXPECT_TRUE((*runner)->overrun());
    return text ? "text" : text.error().reason;
  };
  EXPECT_EQ(run(nested_loops("messages[0].content == 'wake'")), "template_too_slow");
  EXPECT_EQ(run("{% macro f(x) %}{{ f(x) if x == 'wake' else x }}{% endmacro %}"
                "{{ f(messages[0].content) }}"),
            "template_too_slow");
  EXPECT_EQ(run("{% macro f(x) %}{% if x == 'wake' %}{% call f(x) %}{% endcall %}{% else %}"
                "{{ x }}{% endif %}{% endmacro %}{{ f(messages[0].content) }}"),
            "template_too_slow");
}

// Texts and lists that double, in loops and in filters: the memory of the machine is never at
// stake.
TEST(TemplateRunner, GreedyTemplatesAreStopped) {
  if (!base::MemoryBudget::kCounts) GTEST_SKIP() << "a sanitizer has the operators";
  TemplateLimits limits;
  limits.memory_base_bytes = 1024 * 1024;
  const auto doubling = [](std::string_view condition, std::string_view step) {
    return "{% set ns = namespace(x='abcdefgh', y=[1]) %}{% if " + std::string(condition) +
           " %}{% for i in range(60) %}" + std::string(step) +
           "{% endfor %}{% endif %}{{ messages[0].content }}";
  };
  const std::string twice = "{% set ns.x = ns.x + ns.x %}";
  EXPECT_FALSE(TemplateRunner::create(doubling("true", twice), "", "", limits));

  PromptMessage user;
  user.role = "user";
  user.text = "hello";
  for (const std::string& step : {twice, std::string("{% set ns.x = ns.x ~ ns.x %}"),
                                  std::string("{% set ns.y = ns.y + ns.y %}"),
                                  std::string("{% set ns.x = [ns.x, ns.x, ns.x] | join('') %}"),
                                  std::string("{% set ns.x = ns.x | replace('a', 'aaaa') %}")}) {
    const auto runner =
        TemplateRunner::create(doubling("messages[0].content == 'wake'", step), "", "", limits);
    ASSERT_TRUE(runner) << step;
    const auto calm = (*runner)->run({user}, {});
    EXPECT_TRUE(calm && *calm == "hello") << step;
    PromptMessage waking = user;
    waking.text = "wake";
    const auto text = (*runner)->run({waking}, {});
    ASSERT_FALSE(text) << step;
    EXPECT_EQ(text.error().reason, "template_too_large") << step << text.error().message;
  }
}

// A long conversation in many small messages costs the most for its bytes.
TEST(TemplateRunner, HonestConversationsFit) {
  std::vector<PromptMessage> messages(20'000);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].role = i % 2 == 0 ? "user" : "assistant";
    messages[i].text = "x";
  }
  const auto runner = TemplateRunner::create(kHermesTemplate, "", "");
  ASSERT_TRUE(runner);
  const auto text = (*runner)->run(messages, {});
  EXPECT_TRUE(text) << text.error().message;
}

TEST(TemplateRunner, ChecksChangeNothing) {
  PromptMessage user;
  user.role = "user";
  user.text = "b";
  const std::pair<const char*, const char*> cases[] = {
      {"{%- for i in range(9) if i != 1 -%}{%- if i == 3 -%}{% continue %}{%- endif -%}"
       "{%- if i == 5 -%}{% break %}{%- endif -%}{{ i }}{{ loop.index }},{%- endfor -%}",
       "01,22,44,"},
      {"{%- for i in [] -%}x{%- else -%}none{%- endfor -%}", "none"},
      {"{%- macro twice(x, y=2) -%}[{{ x }}{{ y }}]{%- endmacro -%}{{ twice('a') }}"
       "{{ twice(messages[0].content, y=3) }}",
       "[a2][b3]"},
      {"{%- macro box(x) -%}[{{ x }}{{ caller() }}]{%- endmacro -%}"
       "{% call box('a') %}{% for i in range(2) %}{{ i }}{% endfor %}{% endcall %}",
       "[a01]"},
      {"{%- set ns = namespace(n=0) -%}{%- for i in range(4) -%}{%- set ns.n = ns.n + i -%}"
       "{%- endfor -%}{{ ns.n }}",
       "6"},
      {"{%- macro down(n) -%}{{ n }}{%- if n > 0 -%}{{ down(n - 1) }}{%- endif -%}{%- endmacro -%}"
       "{{ down(9) }}",
       "9876543210"},
      {"{%- set x -%}{%- for i in range(3) -%}{{ i }}{%- endfor -%}{%- endset -%}{{ x + '!' }}",
       "012!"},
  };
  for (const auto& [source, expected] : cases) {
    const auto runner = TemplateRunner::create(source, "", "");
    ASSERT_TRUE(runner) << source;
    const auto text = (*runner)->run({user}, {});
    EXPECT_EQ(text ? *text : text.error().message, expected) << source;
  }
}

TEST(RenderWatch, TellsOfAThreadThatTakesTooLongAndOfNoOther) {
  std::atomic<int> told = 0;
  RenderWatch watch({[&] { ++told; }, std::chrono::milliseconds(1)});
  {
    const RenderWatch::Guard calm(watch, std::chrono::hours(1));
    const RenderWatch::Guard stuck(watch, std::chrono::milliseconds(5));
    volatile std::uint64_t work = 0;
    while (told == 0 && work < 100'000'000'000ULL) work = work + 1;
    EXPECT_EQ(told, 1);
  }
  const RenderWatch::Guard another(watch, std::chrono::hours(1));
  EXPECT_EQ(told, 1);
}

TEST(TemplateRunner, HostileTemplatesFailCleanly) {
  PromptMessage user;
  user.role = "user";
  user.text = "private words";
  for (const char* source :
       {"{% for i in range(1000000000) %}x{% endfor %}", "{{ messages[0].nothing.deeper }}",
        "{{ 1 / 0 }}", "{{ strftime_now('%') }}{{ raise_exception(messages[0].content) }}",
        "{{ undefined_function() }}"}) {
    const auto runner = TemplateRunner::create(source, "", "");
    if (!runner) continue;
    const auto text = (*runner)->run({user}, {});
    if (text) continue;
    EXPECT_EQ(text.error().code, base::Code::InvalidArgument);
    EXPECT_EQ(text.error().message.find("private"), std::string::npos) << "prompt text in an error";
  }
}

}  // namespace
}  // namespace fh::engine::llama
