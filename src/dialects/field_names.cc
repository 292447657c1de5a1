// Names of fields for errors that the engine found; see field_names.h.

#include "dialects/field_names.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace fh::dialects {
namespace {

// "tools.N" and what follows; npos in `index` if it is none.
struct ToolField {
  std::size_t index = std::string::npos;
  std::string_view member;  // with its dot
};

ToolField tool_field(std::string_view field) {
  constexpr std::string_view kTools = "tools.";
  ToolField found;
  if (!field.starts_with(kTools)) return found;
  field.remove_prefix(kTools.size());
  std::size_t index = 0;
  const auto read = std::from_chars(field.data(), field.data() + field.size(), index);
  if (read.ec != std::errc()) return found;
  found.index = index;
  found.member = field.substr(static_cast<std::size_t>(read.ptr - field.data()));
  return found;
}

}  // namespace

void keep_offered(FieldNames& names, const std::vector<domain::Tool>& offered) {
  std::vector<FieldNames::ToolNames> kept;
  auto next = names.tools.begin();
  for (const domain::Tool& tool : offered) {
    while (next != names.tools.end() && next->tool != tool.name) ++next;
    if (next == names.tools.end()) break;
    kept.push_back(std::move(*next++));
  }
  names.tools = std::move(kept);
}

base::Error in_client_terms(const FieldNames& names, base::Error error) {
  const ToolField tool = tool_field(error.field);
  if (tool.index < names.tools.size()) {
    const FieldNames::ToolNames& place = names.tools[tool.index];
    const bool schema = tool.member == ".parameters";
    error.field = schema ? place.schema : place.place + std::string(tool.member);
  } else if (error.field == "response_format") {
    error.field = names.format;
  } else if (error.field == "messages" || error.field.starts_with("messages.")) {
    // Its messages are not the client's: system text and tool results are messages of their own.
    error.field = names.messages;
  }
  return error;
}

}  // namespace fh::dialects
