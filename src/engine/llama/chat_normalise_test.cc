// Conversations as messages that a template takes.
#include "engine/llama/chat_normalise.h"

#include <gtest/gtest.h>

#include "engine/llama/tool_call.h"

namespace fh::engine::llama {
namespace {

using domain::Message;
using domain::Role;
using domain::TextPart;

Message text(Role role, std::string body) {
  return {role, {TextPart{std::move(body)}}};
}

Profile easy() {
  Profile profile;
  profile.tools = ToolFormat::Hermes;
  profile.system_first = profile.system_anywhere = profile.repeats = true;
  profile.assistant_first = profile.user_after_tool = true;
  return profile;
}

// "role:text" lines.
std::string shown(const domain::Conversation& conversation, const Profile& profile,
                  bool describe = false) {
  const auto normal = normalise(conversation, profile, describe);
  if (!normal) return "error " + normal.error().field;
  std::string out;
  for (const auto& message : normal->messages) {
    out += message.role + ":" + message.text;
    if (!message.reasoning.empty()) out += "{" + message.reasoning + "}";
    for (const auto& call : message.calls)
      out += "(" + call.id + " " + call.name + call.arguments_json + ")";
    out += "|";
  }
  if (normal->continues) out += ">" + normal->prefill_reasoning + ">" + normal->prefill_text;
  return out;
}

TEST(Normalise, SystemMessagesStayInPlace) {
  domain::Conversation c;
  c.messages = {text(Role::System, "S"), text(Role::User, "u"), text(Role::System, "m"),
                text(Role::User, "v")};
  EXPECT_EQ(shown(c, easy()), "system:S|user:u|system:m|user:v|");
  Profile profile = easy();
  profile.system_anywhere = false;
  EXPECT_EQ(shown(c, profile), "system:S|user:u|user:<system>\nm\n</system>|user:v|");
  profile.repeats = false;
  EXPECT_EQ(shown(c, profile), "system:S|user:u\n\n<system>\nm\n</system>\n\nv|");
  profile.system_first = false;
  EXPECT_EQ(shown(c, profile), "user:<system>\nS\n</system>\n\nu\n\n<system>\nm\n</system>\n\nv|");
}

// For a family that would recite a system text that comes last.
TEST(Normalise, SystemMessagesLeadTheTurnThatTheyFollow) {
  Profile profile = easy();
  profile.system_leads = true;
  domain::Conversation c;
  c.messages = {text(Role::System, "S"), text(Role::User, "u"), text(Role::User, "v"),
                text(Role::System, "m"), text(Role::System, "n")};
  EXPECT_EQ(shown(c, profile), "system:S|user:u|system:m|system:n|user:v|");
  c.messages = {text(Role::User, "u"), text(Role::System, "m"), text(Role::User, "v")};
  EXPECT_EQ(shown(c, profile), "system:m|user:u|user:v|");
  // Results of several calls stay together, behind their calls.
  c.messages = {
      text(Role::User, "u"),
      {Role::Assistant,
       {domain::ToolCallPart{"1", "f", "{}"}, domain::ToolCallPart{"2", "f", "{}"}}},
      {Role::Tool,
       {domain::ToolResultPart{.tool_call_id = "1", .name = "f", .text = "r", .images = {}},
        domain::ToolResultPart{.tool_call_id = "2", .name = "f", .text = "q", .images = {}}}},
      text(Role::System, "m")};
  EXPECT_EQ(shown(c, profile), "user:u|assistant:(1 f{})(2 f{})|system:m|tool:r|tool:q|");
}

TEST(Normalise, TheBillingLineIsDropped) {
  domain::Conversation c;
  c.messages = {{Role::System,
                 {TextPart{"x-anthropic-billing-header: cc_version=1; cch=ab;"}, TextPart{"S"}}},
                text(Role::User, "u")};
  EXPECT_EQ(shown(c, easy()), "system:S|user:u|");
  c.messages[0] = text(Role::System, "x-anthropic-billing-header: cch=ab;\n\nS\nT");
  EXPECT_EQ(shown(c, easy()), "system:S\nT|user:u|");
  c.messages[0] = text(Role::System, "x-anthropic-billing-header: cch=ab;");
  EXPECT_EQ(shown(c, easy()), "user:u|");
  // Only at the very beginning.
  c.messages = {text(Role::User, "x-anthropic-billing-header: a")};
  EXPECT_EQ(shown(c, easy()), "user:x-anthropic-billing-header: a|");
}

TEST(Normalise, Prefill) {
  domain::Conversation c;
  c.messages = {text(Role::User, "u"), text(Role::Assistant, "The answer is")};
  EXPECT_EQ(shown(c, easy()), "user:u|>>The answer is");
  c.messages[1].parts.insert(c.messages[1].parts.begin(), domain::ReasoningPart{"hm", ""});
  EXPECT_EQ(shown(c, easy()), "user:u|>hm>The answer is");
  c.messages = {text(Role::Assistant, "A")};
  EXPECT_EQ(shown(c, easy()), "user:(The conversation begins with the assistant.)|>>A");
}

TEST(Normalise, CallsAndResults) {
  domain::Conversation c;
  c.messages = {text(Role::User, "u"),
                {Role::Assistant,
                 {TextPart{"look"}, domain::ToolCallPart{"call_1", "f", "{\"b\":1,\"a\":2}"}}},
                {Role::Tool,
                 {domain::ToolResultPart{"call_1", "f", "r1", false, {}},
                  domain::ToolResultPart{"call_2", "g", "r2", true, {}}}},
                text(Role::User, "go on")};
  EXPECT_EQ(shown(c, easy()),
            "user:u|assistant:look(call_1 f{\"b\":1,\"a\":2})|tool:r1|tool:Error: r2|user:go on|");
  Profile profile = easy();
  profile.user_after_tool = false;
  EXPECT_EQ(shown(c, profile),
            "user:u|assistant:look(call_1 f{\"b\":1,\"a\":2})|tool:r1|tool:Error: r2\n\ngo on|");
  profile.tools = ToolFormat::Described;
  EXPECT_EQ(shown(c, profile),
            "user:u|assistant:look\n<tool_call>\n{\"name\": \"f\", \"arguments\": "
            "{\"b\":1,\"a\":2}}\n</tool_call>|"
            "user:<tool_response>\nr1\n</tool_response>\n<tool_response>\nError: "
            "r2\n</tool_response>|user:go on|");
  profile = easy();
  profile.short_call_ids = true;
  const auto normal = normalise(c, profile, false);
  ASSERT_TRUE(normal);
  EXPECT_EQ(normal->messages[1].calls[0].id.size(), 9U);
  EXPECT_EQ(normal->messages[1].calls[0].id, normal->messages[2].tool_call_id);
  EXPECT_NE(normal->messages[1].calls[0].id, normal->messages[3].tool_call_id);
}

TEST(Normalise, ArgumentsThatAreNoObjectDoNotBreakTheTemplate) {
  domain::Conversation c;
  c.messages = {text(Role::User, "u"),
                {Role::Assistant, {domain::ToolCallPart{"1", "f", "{\"a\": \"cut"}}},
                text(Role::User, "v")};
  EXPECT_EQ(shown(c, easy()),
            "user:u|assistant:(1 f{\"unreadable\":\"{\\\"a\\\": \\\"cut\"})|user:v|");
}

TEST(Normalise, ALastAssistantMessageWithCallsIsNoPrefill) {
  domain::Conversation c;
  c.messages = {text(Role::User, "u"), {Role::Assistant, {domain::ToolCallPart{"1", "f", ""}}}};
  EXPECT_EQ(shown(c, easy()), "user:u|assistant:(1 f{})|");
}

TEST(Normalise, ReasoningOfThePast) {
  domain::Conversation c;
  c.messages = {text(Role::User, "u"),
                {Role::Assistant, {domain::ReasoningPart{"why", "sig"}, TextPart{"a"}}},
                text(Role::User, "v")};
  EXPECT_EQ(shown(c, easy()), "user:u|assistant:a|user:v|");
  Profile profile = easy();
  profile.history_reasoning = true;
  EXPECT_EQ(shown(c, profile), "user:u|assistant:a{why}|user:v|");
}

TEST(Normalise, ToolsAreDescribedInTheSystemText) {
  domain::Conversation c;
  c.tools = {{"f", "does f", R"({"z":1,"a":2})", false}};
  c.messages = {text(Role::System, "S"), text(Role::User, "u")};
  Profile profile = easy();
  profile.tools = ToolFormat::Described;
  const std::string description = describe_tools(c.tools);
  EXPECT_NE(description.find(R"("parameters": {"z":1,"a":2})"), std::string::npos);
  EXPECT_EQ(shown(c, profile, true), "system:S\n\n" + description + "|user:u|");
  c.messages.erase(c.messages.begin());
  EXPECT_EQ(shown(c, profile, true), "system:" + description + "|user:u|");
  profile.system_first = false;
  EXPECT_EQ(shown(c, profile, true), "user:<system>\n" + description + "\n</system>|user:u|");
  // A system message later on does not move to the front.
  c.messages = {text(Role::User, "u"), text(Role::System, "late"), text(Role::User, "v")};
  profile.system_first = true;
  EXPECT_EQ(shown(c, profile, true), "system:" + description + "|user:u|system:late|user:v|");
}

TEST(Normalise, ContentThatTheModelCannotTake) {
  domain::Conversation c;
  c.messages = {text(Role::User, "u"), {Role::User, {domain::ImagePart{"image/png", "AAAA", ""}}}};
  EXPECT_EQ(shown(c, easy()), "error messages.1");
  c.messages = {{Role::User, {domain::OpaquePart{"input_audio"}}}};
  EXPECT_EQ(shown(c, easy()), "error messages.0");
  c.messages.clear();
  EXPECT_EQ(shown(c, easy()), "error messages");
}

TEST(Normalise, GrowingKeepsThePrefix) {
  Profile profiles[] = {easy(), easy(), easy(), easy()};
  profiles[1].system_anywhere = false;
  profiles[2].tools = ToolFormat::Described;
  profiles[3].system_leads = true;
  domain::Conversation c;
  c.messages = {
      text(Role::System, "S"),    text(Role::User, "u"), text(Role::System, "12 tokens left"),
      text(Role::Assistant, "a"), text(Role::User, "v"), text(Role::System, "9 tokens left")};
  for (const Profile& profile : profiles) {
    const std::string before = shown(c, profile);
    domain::Conversation grown = c;
    grown.messages.push_back(text(Role::User, "w"));
    grown.messages.push_back(text(Role::System, "7 tokens left"));
    EXPECT_TRUE(shown(grown, profile).starts_with(before));
  }
}

}  // namespace
}  // namespace fh::engine::llama
