#pragma once
// What a model's chat template can do, found out by trying: short conversations of marked messages
// are rendered and looked at. What cannot be seen that way (thinking tags, habits of a family) is a
// row of the tables in profile.cc. Pure values.

#include <optional>
#include <string>
#include <string_view>

#include "engine/llama/chat_render.h"

namespace fh::engine::llama {

struct ThinkTags {
  std::string start;
  std::string end;
  bool operator==(const ThinkTags&) const = default;
};

enum class ToolFormat : std::uint8_t {
  Described,  // the template knows no tools: they are described in the system text, calls are text
              // in our format
  Hermes,     // the template renders tools, and calls as <tool_call>{json}</tool_call>
  Native,     // another format of the template, read by llama-common
};

struct Profile {
  ToolFormat tools = ToolFormat::Described;
  bool system_first = false;     // a system message at the start
  bool system_anywhere = false;  // several, and in the middle, in place
  bool repeats = false;          // neighbours of the same role
  bool assistant_first = false;
  bool user_after_tool = false;
  bool short_call_ids = false;  // call ids must be 9 letters and digits (Mistral)
  bool history_reasoning =
      false;  // what the assistant thought is rendered, at least in its last turn
  std::optional<ThinkTags> think;
  bool think_opened = false;   // the generation prompt ends with the start tag when thinking is on
  bool think_switch = false;   // enable_thinking changes the prompt
  bool lenient_calls = false;  // an answer that is one bare or fenced JSON call is a call
  bool fenced_calls = false;   // and so is one in a fence within a longer answer
  bool system_leads = false;   // a system text is put in front of the turn that it follows
};

// `architecture`: general.architecture of the model, "" if unknown.
Profile probe_profile(const TemplateRunner& runner, std::string_view architecture);

// The tags that a template text mentions, by the table of known pairs.
std::optional<ThinkTags> find_think_tags(std::string_view source);

}  // namespace fh::engine::llama
