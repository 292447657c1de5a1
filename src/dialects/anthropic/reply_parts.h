#pragma once
// JSON pieces that the whole reply and the stream of the Anthropic surface share; internal to this
// folder.

#include <string>
#include <string_view>

#include "codec/json.h"
#include "dialects/anthropic/reply.h"
#include "dialects/blocks.h"

namespace fh::dialects::anthropic {

// "end_turn", "tool_use", ...
std::string_view stop_reason(const Ending& ending);
// Value of "usage" in a message: every key.
void write_usage(codec::json::Writer& json, const domain::Usage& usage);
// Value of "usage" in message_delta: the counters.
void write_usage_delta(codec::json::Writer& json, const domain::Usage& usage);
// Value of "diagnostics".
void write_diagnostics(codec::json::Writer& json, const ReplyContext& context);
// The final usage: the backend's numbers, or the counts known at the start if it gave none.
domain::Usage settled_usage(const domain::Usage& usage, const ReplyContext& context);

}  // namespace fh::dialects::anthropic
