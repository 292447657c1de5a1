// Ids on the wire; see ids.h.

#include "dialects/ids.h"

namespace fh::dialects {
namespace {
constexpr std::string_view kCall = "call_";
constexpr std::string_view kToolu = "toolu_";

std::string swap_prefix(std::string_view id, std::string_view from, std::string_view to) {
  if (!id.starts_with(from)) return std::string(id);
  return std::string(to) + std::string(id.substr(from.size()));
}
}  // namespace

std::string anthropic_tool_id(std::string_view call_id) {
  return swap_prefix(call_id, kCall, kToolu);
}

std::string internal_tool_id(std::string_view wire_id) {
  return swap_prefix(wire_id, kToolu, kCall);
}

std::string reply_id(std::string_view prefix, std::string_view request_id) {
  constexpr std::string_view kRequest = "req_";
  if (request_id.starts_with(kRequest)) request_id.remove_prefix(kRequest.size());
  return std::string(prefix) + std::string(request_id);
}

std::string derived_tool_id(std::string_view reply_id, std::size_t index) {
  const std::size_t cut = reply_id.find_first_of("_-");
  if (cut != std::string_view::npos) reply_id.remove_prefix(cut + 1);
  return std::string(kCall) + std::string(reply_id) + "_" + std::to_string(index);
}

}  // namespace fh::dialects
