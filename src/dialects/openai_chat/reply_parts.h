#pragma once
// JSON pieces that the whole reply and the stream of the Chat surface share; internal to this
// folder.

#include <span>
#include <string_view>

#include "codec/json.h"
#include "dialects/blocks.h"
#include "dialects/openai_chat/reply.h"

namespace fh::dialects::openai_chat {

inline constexpr std::string_view kFingerprint = "fp_freehold";

std::string_view finish_reason(const Ending& ending, bool legacy_functions);
// Value of "usage".
void write_usage(codec::json::Writer& json, const Ending& ending, const ReplyContext& context);
// Value of "logprobs": null if there are none.
void write_logprobs(codec::json::Writer& json, std::span<const domain::TokenLogprob> logprobs);

}  // namespace fh::dialects::openai_chat
