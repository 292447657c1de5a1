#pragma once
// Errors of the OpenAI surfaces: {"error":{"message":M,"type":T,"param":P|null,"code":C|null}}.
// Overflow is a 400 with code context_length_exceeded in the words that clients recognise.

#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::dialects::openai_chat {

int http_status(const base::Error& error);
// `overflow_param` names what was too long: "messages" here, "input" on other surfaces.
// `request_id` is accepted so that both surfaces are called alike; this form has no place for it
// (it travels in the header).
std::string error_body(const base::Error& error, std::string_view request_id = {},
                       std::string_view overflow_param = "messages");

}  // namespace fh::dialects::openai_chat
