#pragma once
// The tools of one request as the parser and the grammar need them, and the tool-call format that
// Freehold itself reads and writes: <tool_call>\n{"name": ..., "arguments": {...}}\n</tool_call>,
// the Hermes format, which Qwen models are trained on; templates without a tool format of their own
// get it too.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"
#include "engine/llama/json_schema.h"
#include "engine/llama/tool_scanner.h"

namespace fh::engine::llama {

inline constexpr std::string_view kCallOpen = "<tool_call>";
inline constexpr std::string_view kCallClose = "</tool_call>";

struct ToolRule {
  std::string name;
  std::shared_ptr<const JsonSchema> schema;
  bool strict = false;
};
using ToolRules = std::vector<ToolRule>;

// Error: InvalidArgument, field "tools.N.name" or "tools.N.parameters".
base::Result<ToolRules> tool_rules(const std::vector<domain::Tool>& tools);
const ToolRule* find_tool(const ToolRules& tools, std::string_view name);

// What an object scanned so far says as a tool call.
struct CallView {
  bool possible = true;             // it may still become one
  std::optional<std::string> name;  // once complete
  const ObjectScanner::Member* arguments = nullptr;
};
// `exact`: only the keys name and arguments (or parameters, or type: "function") are allowed.
CallView view_call(const ObjectScanner& scanner, bool exact);

// A call as it stands in a prompt, in the format above.
std::string call_text(std::string_view name, std::string_view arguments_json);
// What tells a model without a tool format which tools there are and how to call them. Same tools,
// same bytes.
std::string describe_tools(const std::vector<domain::Tool>& tools);

}  // namespace fh::engine::llama
