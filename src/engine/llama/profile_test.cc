// What probing finds out about templates with known traits.
#include "engine/llama/profile.h"

#include <gtest/gtest.h>

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
  EXPECT_FALSE(probe(kHermesTemplate, "qwen3").lenient_calls);
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
