#pragma once
// `messages` (or a Responses `input`) and the tools of a Chat Completions request; internal to this
// folder.

#include <string>
#include <string_view>

#include "base/result.h"
#include "dialects/fields.h"
#include "dialects/openai_chat/request.h"

namespace fh::dialects::openai_chat {

base::Status read_messages(Value messages, const Path& path, Request& out);
// A Responses `input`: a string or items. `instructions`, if a string, comes before it.
base::Status read_input(Value root, const Path& path, Request& request);
// tools, tool_choice, parallel_tool_calls, functions, function_call.
base::Status read_tooling(Value root, const Path& path, Request& out);

// Shared by both message readers. Content: a string, null, or parts. `demands` may be null.
base::Status read_content(Value content, const Path& path, std::vector<domain::Part>& parts,
                          Demands* demands);
base::Status read_result_content(Value content, const Path& path, domain::ToolResultPart& out);
// The text of a string or null member.
base::Result<std::string> text_or_empty(Value object, std::string_view key, const Path& path);

}  // namespace fh::dialects::openai_chat
