// Tools and tool choice of a Chat Completions request, in all the shapes that clients send.

#include <algorithm>
#include <utility>

#include "dialects/content.h"
#include "dialects/custom_input.h"
#include "dialects/openai_chat/messages.h"

namespace fh::dialects::openai_chat {
namespace {

using Mode = domain::ToolChoice::Mode;

// `shape` holds name, description, parameters, strict: the `function` object, or the tool itself in
// the flat shape.
base::Result<domain::Tool> read_function(Value shape, const Path& path, FieldNames& names) {
  domain::Tool tool;
  FH_TRY(tool.name, required_string(shape, "name", path));
  FH_TRY(tool.description, text_or_empty(shape, "description", path));
  // Some editors keep Anthropic's name for the schema when they send to this surface.
  const bool renamed = shape["parameters"].is_null() && shape["input_schema"].exists();
  const std::string_view schema_key = renamed ? "input_schema" : "parameters";
  FH_TRY(const Value parameters, optional_object(shape, schema_key, path));
  FH_TRY_VOID(check_arguments_schema(parameters, path.at(schema_key)));
  tool.parameters_json = parameters.exists() ? std::string(parameters.raw()) : "{}";
  FH_TRY(const auto strict, optional_bool(shape, "strict", path));
  tool.strict = strict.value_or(false);
  names.tools.push_back({tool.name, path.text(), path.at(schema_key).text()});
  return tool;
}

// The grammar cannot be kept in a function's schema, so the model is told it.
base::Result<domain::Tool> read_custom(Value shape, const Path& path, FieldNames& names) {
  domain::Tool tool;
  FH_TRY(tool.name, required_string(shape, "name", path));
  FH_TRY(tool.description, text_or_empty(shape, "description", path));
  tool.parameters_json = kCustomToolSchema;
  names.tools.push_back({tool.name, path.text(), path.text()});
  FH_TRY(const Value format, optional_object(shape, "format", path));
  if (!format.exists()) return tool;
  const Path format_path = path.at("format");
  FH_TRY(const std::string type, required_string(format, "type", format_path));
  if (type == "text") return tool;
  if (type != "grammar") return wrong(format_path.at("type"), "must be one of: text, grammar");
  const bool nested = format["grammar"].is_object();
  const Value grammar = nested ? format["grammar"] : format;
  const Path grammar_path = nested ? format_path.at("grammar") : format_path;
  FH_TRY(const auto syntax, optional_choice(grammar, "syntax", grammar_path, {"lark", "regex"}));
  FH_TRY(const std::string definition, required_string(grammar, "definition", grammar_path));
  if (!tool.description.empty()) tool.description += "\n\n";
  tool.description += "`input` must match this " + syntax.value_or("lark") + " grammar:\n";
  tool.description += definition;
  return tool;
}

base::Status read_tool(Value value, const Path& path, Request& out) {
  if (!value.is_object()) return wrong_type(path, "an object", value);
  FH_TRY(const auto given_type, optional_string(value, "type", path));
  const std::string type = given_type.value_or("function");
  if (type != "function" && type != "custom") {
    out.ignored_tools.push_back(type);
    return {};
  }
  const Value nested = value[type];
  const bool flat = !nested.exists() && value["name"].exists();
  if (!flat && !nested.is_object()) return wrong_type(path.at(type), "an object", nested);
  const Value shape = flat ? value : nested;
  const Path nested_path = path.at(type);
  const Path& shape_path = flat ? path : nested_path;
  auto tool = type == "custom" ? read_custom(shape, shape_path, out.names)
                               : read_function(shape, shape_path, out.names);
  if (!tool) return std::unexpected(std::move(tool).error());
  if (type == "custom") out.custom_tools.insert(tool->name);
  out.generation.conversation.tools.push_back(*std::move(tool));
  return {};
}

// {type:"function",function:{name}}, {type:"function",name}, the same with "custom".
base::Result<std::string> named(Value choice, std::string_view type, const Path& path) {
  const Value nested = choice[type];
  if (!nested.exists()) return required_string(choice, "name", path);
  if (!nested.is_object()) return wrong_type(path.at(type), "an object", nested);
  return required_string(nested, "name", path.at(type));
}

// Tools outside the allowed set are not offered at all: the only way that surely keeps them
// uncalled.
base::Status read_allowed(Value choice, const Path& path, Request& out) {
  const bool nested = choice["allowed_tools"].is_object();
  const Value allowed = nested ? choice["allowed_tools"] : choice;
  const Path inner = path.at("allowed_tools");
  const Path& allowed_path = nested ? inner : path;
  domain::Conversation& conversation = out.generation.conversation;
  FH_TRY(const auto mode, optional_choice(allowed, "mode", allowed_path, {"auto", "required"}));
  conversation.tool_choice.mode = mode == "required" ? Mode::Required : Mode::Auto;
  FH_TRY(const Value tools, required_array(allowed, "tools", allowed_path));
  const Path tools_path = allowed_path.at("tools");
  std::set<std::string> names;
  std::size_t index = 0;
  for (const Value tool : tools.elements()) {
    const Path tool_path = tools_path.at(index++);
    if (!tool.is_object()) return wrong_type(tool_path, "an object", tool);
    FH_TRY(const std::string type, required_string(tool, "type", tool_path));
    if (type != "function" && type != "custom") continue;
    FH_TRY(std::string name, named(tool, type, tool_path));
    names.insert(std::move(name));
  }
  std::erase_if(conversation.tools,
                [&](const domain::Tool& tool) { return !names.contains(tool.name); });
  return {};
}

base::Status read_choice(Value choice, const Path& path, Request& out) {
  domain::ToolChoice& made = out.generation.conversation.tool_choice;
  if (choice.is_null()) return {};
  if (choice.is_string()) {
    const std::string_view name = *choice.as_string();
    if (name == "none") {
      made.mode = Mode::None;
    } else if (name == "required" || name == "any") {
      made.mode = Mode::Required;
    } else if (name != "auto") {
      return wrong(path, "must be one of: none, auto, required, or an object");
    }
  } else if (choice.is_object()) {
    FH_TRY(const std::string type, required_string(choice, "type", path));
    if (type == "allowed_tools") {
      FH_TRY_VOID(read_allowed(choice, path, out));
    } else if (type == "function" || type == "custom") {
      made.mode = Mode::Named;
      FH_TRY(made.name, named(choice, type, path));
    } else {
      return wrong(path.at("type"), "names a tool that this server does not have: " + type);
    }
  } else {
    return wrong_type(path, "a string or an object", choice);
  }
  return check_tool_choice(out.generation.conversation, path.text());
}

base::Status read_legacy(Value root, Value functions, const Path& path, Request& out) {
  domain::Conversation& conversation = out.generation.conversation;
  const Path functions_path = path.at("functions");
  std::size_t index = 0;
  for (const Value function : functions.elements()) {
    const Path function_path = functions_path.at(index++);
    if (!function.is_object()) return wrong_type(function_path, "an object", function);
    FH_TRY(domain::Tool tool, read_function(function, function_path, out.names));
    conversation.tools.push_back(std::move(tool));
  }
  out.legacy_functions = true;
  conversation.tool_choice.parallel = false;  // the older form holds one call
  const Value choice = root["function_call"];
  const Path choice_path = path.at("function_call");
  if (choice.is_object()) {
    conversation.tool_choice.mode = Mode::Named;
    FH_TRY(conversation.tool_choice.name, required_string(choice, "name", choice_path));
    return check_tool_choice(conversation, "function_call");
  }
  if (choice.as_string() == "none") conversation.tool_choice.mode = Mode::None;
  return {};
}

base::Status check_legacy_choice(Value choice, const Path& path) {
  const bool word =
      choice.is_string() && (choice.as_string() == "none" || choice.as_string() == "auto");
  if (!choice.exists() || choice.is_null() || choice.is_object() || word) return {};
  return wrong(path, "must be none, auto, or an object with a name");
}

}  // namespace

base::Status read_tooling(Value root, const Path& path, Request& out) {
  FH_TRY(const Value tools, optional_array(root, "tools", path));
  const Path tools_path = path.at("tools");
  std::size_t index = 0;
  for (const Value tool : tools.elements()) {
    FH_TRY_VOID(read_tool(tool, tools_path.at(index++), out));
  }
  FH_TRY(const Value functions, optional_array(root, "functions", path));
  FH_TRY_VOID(check_legacy_choice(root["function_call"], path.at("function_call")));
  if (tools.size() == 0 && functions.exists()) {
    FH_TRY_VOID(read_legacy(root, functions, path, out));
  }
  FH_TRY_VOID(read_choice(root["tool_choice"], path.at("tool_choice"), out));
  FH_TRY(const auto parallel, optional_bool(root, "parallel_tool_calls", path));
  domain::ToolChoice& choice = out.generation.conversation.tool_choice;
  if (parallel && !out.legacy_functions) choice.parallel = *parallel;
  if (choice.mode == Mode::Named) choice.parallel = false;  // that one tool is called once
  return {};
}

}  // namespace fh::dialects::openai_chat
