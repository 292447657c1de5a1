// Fingerprints of turns: what changes them, what does not, how many are kept.

#include "dialects/anthropic/turns.h"

#include <gtest/gtest.h>

namespace fh::dialects::anthropic {
namespace {

TurnPrint print(const std::string& members) {
  const auto request = parse_request(R"({"max_tokens":1,)" + members + "}");
  if (!request) {
    ADD_FAILURE() << members << "\n" << request.error().text();
    return {};
  }
  return print_of(*request);
}

constexpr const char* kMessages = R"("messages":[{"role":"user","content":"a"}])";

std::string reason(const std::string& before, const std::string& now) {
  TurnMemory memory;
  memory.remember("t", "msg_1", print(before), 50);
  const auto miss = memory.compare("t", "msg_1", print(now));
  return miss ? miss->type : "";
}

TEST(Turns, WhatIsToldApart) {
  const std::string base = std::string(R"("model":"m","system":"s",)") + kMessages;
  const std::string tools = R"("tools":[{"name":"f","description":"d","input_schema":{}}],)";
  EXPECT_EQ(reason(base, base), "");
  EXPECT_EQ(reason(base, std::string(R"("model":"n","system":"s",)") + kMessages), "model_changed");
  EXPECT_EQ(reason(base, std::string(R"("model":"m","system":"z",)") + kMessages),
            "system_changed");
  EXPECT_EQ(reason(base, std::string(R"("model":"m",)") + kMessages), "system_changed");
  EXPECT_EQ(reason(base, tools + base), "tools_changed");
  EXPECT_EQ(reason(base, R"("model":"m","system":"s","messages":[{"role":"user","content":"b"}])"),
            "messages_changed");
}

TEST(Turns, WhatChangesNoPromptChangesNoPrint) {
  const std::string base = std::string(R"("model":"m","system":"s",)") + kMessages;
  EXPECT_EQ(
      reason(base, std::string(R"("model":"anthropic-local/m[1m]","system":"s",)") + kMessages),
      "");
  EXPECT_EQ(reason(base, R"("model":"m","temperature":0.5,"system":[
                {"type":"text","text":"x-anthropic-billing-header: a"},
                {"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],
                "messages":[{"role":"user","content":[{"type":"text","text":"a"}]}])"),
            "");
}

TEST(Turns, TextsDoNotRunIntoEachOther) {
  const auto two = [](const char* one, const char* other) {
    return std::string(
               R"("model":"m","messages":[{"role":"user","content":[{"type":"text","text":")") +
           one + R"("},{"type":"text","text":")" + other + R"("}]}])";
  };
  EXPECT_EQ(reason(two("ab", "c"), two("a", "bc")), "messages_changed");
}

TEST(Turns, TheOldestAreForgotten) {
  TurnMemory memory(2);
  const TurnPrint one = print(std::string(R"("model":"m",)") + kMessages);
  for (const char* id : {"msg_1", "msg_2", "msg_2", "msg_3"}) memory.remember("t", id, one, 1);
  EXPECT_EQ(memory.size(), 2u);
  EXPECT_EQ(memory.compare("t", "msg_1", one)->type, "previous_message_not_found");
  EXPECT_FALSE(memory.compare("t", "msg_2", one));
  EXPECT_FALSE(memory.compare("t", "msg_3", one));
}

}  // namespace
}  // namespace fh::dialects::anthropic
