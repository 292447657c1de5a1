#pragma once
// Names under which clients ask for a model.
//   "name[1m]" is a coding client's mark for a window of a million tokens and means "name".
//   "anthropic-local/name" is offered beside "name": that client's discovery lists only ids that
//   contain "anthropic" or "claude", and takes ids that look like a Claude model for that model.

#include <string>
#include <string_view>

namespace fh::dialects {

inline constexpr std::string_view kAliasPrefix = "anthropic-local/";

// Without a trailing "[1m]" (any case).
std::string_view without_window_suffix(std::string_view name);
// The name as the registry knows it: without suffix and alias prefix. The name as requested goes
// into replies.
std::string_view canonical_model_name(std::string_view requested);
std::string alias_of(std::string_view model_id);

}  // namespace fh::dialects
