#pragma once
// Errors of the Anthropic surface: {"type":"error","error":{"type":T,"message":M},"request_id":R}.
// 400 invalid_request_error, 401 authentication_error, 402 billing_error, 403 permission_error, 404
// not_found_error, 409 conflict_error, 413 request_too_large, 429 rate_limit_error, 500 api_error,
// 504 timeout_error, 529 overloaded_error. Overflow is a 400 whose words clients recognise: "prompt
// is too long: N tokens > M maximum".

#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::dialects::anthropic {

int http_status(const base::Error& error);
std::string error_body(const base::Error& error, std::string_view request_id);

}  // namespace fh::dialects::anthropic
