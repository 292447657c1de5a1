#include "domain/event.h"

#include <array>

namespace fh::domain {
namespace {
constexpr std::array<std::string_view, 13> kEndReasons = {
    "complete",       "stop",    "length", "context_full", "tool",  "client_abort", "upstream_cut",
    "upstream_error", "timeout", "budget", "cancelled",    "crash", "rejected"};
}

std::string_view end_reason_name(EndReason reason) {
  return kEndReasons[static_cast<std::size_t>(reason)];
}

std::optional<EndReason> end_reason_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kEndReasons.size(); ++i) {
    if (kEndReasons[i] == name) return static_cast<EndReason>(i);
  }
  return std::nullopt;
}

}  // namespace fh::domain
