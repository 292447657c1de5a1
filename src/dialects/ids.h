#pragma once
// Ids on the wire. Inside, a tool call's id is "call_..." whatever the surface; Anthropic's clients
// see "toolu_..." with the same rest, so that a conversation that moves from one surface to the
// other keeps its ids (and its prompt).

#include <string>
#include <string_view>

namespace fh::dialects {

// "call_x" -> "toolu_x"; other ids stay.
std::string anthropic_tool_id(std::string_view call_id);
// "toolu_x" -> "call_x"; other ids stay.
std::string internal_tool_id(std::string_view wire_id);
// "msg_" + rest of "req_rest"; the whole id if it does not begin with "req_".
std::string reply_id(std::string_view prefix, std::string_view request_id);
// Id for a call that came without one: the same for the same reply and position.
std::string derived_tool_id(std::string_view reply_id, std::size_t index);

}  // namespace fh::dialects
