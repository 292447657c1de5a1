// Tools of a request and the common tool-call format.
#include "engine/llama/tool_call.h"

namespace fh::engine::llama {

base::Result<ToolRules> tool_rules(const std::vector<domain::Tool>& tools) {
  ToolRules out;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const domain::Tool& tool = tools[i];
    const std::string place = "tools." + std::to_string(i);
    if (tool.name.empty()) return base::fail_field(place + ".name", "a tool needs a name");
    if (find_tool(out, tool.name) != nullptr) {
      return base::fail_field(place + ".name", "two tools have the same name");
    }
    auto schema = JsonSchema::parse(tool.parameters_json);
    if (!schema) return base::fail_field(place + ".parameters", schema.error().message);
    out.push_back({tool.name, std::move(*schema), tool.strict});
  }
  return out;
}

const ToolRule* find_tool(const ToolRules& tools, std::string_view name) {
  for (const ToolRule& tool : tools) {
    if (tool.name == name) return &tool;
  }
  return nullptr;
}

CallView view_call(const ObjectScanner& scanner, bool exact) {
  CallView view;
  for (const auto& member : scanner.members()) {
    const std::string_view text = scanner.value_text(member);
    if (member.key == "name") {
      std::string name;
      if (!member.complete) continue;
      if (decode_json_string(text, name)) {
        view.name = std::move(name);
      } else {
        view.possible = false;
      }
    } else if (member.key == "arguments" || member.key == "parameters") {
      if (view.arguments != nullptr) {
        if (exact) view.possible = false;
        continue;  // the first one counts
      }
      view.arguments = &member;
      const bool object = text.empty() || text.front() == '{';
      // Some models write the arguments as a string that holds JSON.
      if (!object && (exact || text.front() != '"')) view.possible = false;
    } else if (member.key == "type" && exact) {
      if (member.complete && text != "\"function\"") view.possible = false;
    } else if (exact) {
      view.possible = false;
    }
  }
  return view;
}

std::string call_text(std::string_view name, std::string_view arguments_json) {
  std::string out(kCallOpen);
  out += "\n{\"name\": ";
  codec::json::append_string(out, name);
  out += ", \"arguments\": ";
  out += arguments_json.empty() ? "{}" : arguments_json;
  out += "}\n";
  out += kCallClose;
  return out;
}

std::string describe_tools(const std::vector<domain::Tool>& tools) {
  std::string out =
      "# Tools\n\nYou can call these functions. Each line between <tools> and </tools> describes "
      "one "
      "as JSON:\n<tools>";
  for (const domain::Tool& tool : tools) {
    out += "\n{\"type\": \"function\", \"function\": {\"name\": ";
    codec::json::append_string(out, tool.name);
    if (!tool.description.empty()) {
      out += ", \"description\": ";
      codec::json::append_string(out, tool.description);
    }
    out += ", \"parameters\": ";
    out += tool.parameters_json.empty() ? "{}" : tool.parameters_json;
    out += "}}";
  }
  out +=
      "\n</tools>\n\nTo call a function, answer with a JSON object that holds its name and its "
      "arguments, "
      "between <tool_call> and </tool_call>, like this:\n<tool_call>\n{\"name\": \"function "
      "name\", "
      "\"arguments\": {\"argument\": \"value\"}}\n</tool_call>\nThe result comes back between "
      "<tool_response> and </tool_response>.";
  return out;
}

}  // namespace fh::engine::llama
