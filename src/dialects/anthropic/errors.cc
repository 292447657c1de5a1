// Errors of the Anthropic surface; see errors.h.

#include "dialects/anthropic/errors.h"

#include <fmt/format.h>

#include "codec/json.h"
#include "dialects/failures.h"

namespace fh::dialects::anthropic {
namespace {

using base::Code;

struct Answered {
  int status;
  std::string_view type;
};

Answered answered(const base::Error& error) {
  if (error.reason == kReasonTooLarge) return {413, "request_too_large"};
  if (error.reason == kReasonBudget) return {402, "billing_error"};
  switch (error.code) {
    case Code::Unauthenticated: return {401, "authentication_error"};
    case Code::PermissionDenied: return {403, "permission_error"};
    case Code::NotFound: return {404, "not_found_error"};
    case Code::AlreadyExists:
    case Code::Aborted: return {409, "conflict_error"};
    case Code::ResourceExhausted: return {429, "rate_limit_error"};
    case Code::DeadlineExceeded: return {504, "timeout_error"};
    case Code::Unavailable: return {529, "overloaded_error"};
    case Code::Internal:
    case Code::Unknown:
    case Code::DataLoss: return {500, "api_error"};
    case Code::Cancelled:
    case Code::InvalidArgument:
    case Code::OutOfRange:
    case Code::FailedPrecondition:
    case Code::Unimplemented: break;
  }
  return {400, "invalid_request_error"};
}

}  // namespace

int http_status(const base::Error& error) {
  return answered(error).status;
}

std::string error_body(const base::Error& error, std::string_view request_id) {
  std::string message;
  if (const auto counts = overflow_counts(error)) {
    message = fmt::format("prompt is too long: {} tokens > {} maximum", counts->prompt_tokens,
                          counts->context_tokens);
  } else {
    message = shown_message(error);
  }
  codec::json::Writer json;
  json.object().member("type", "error").key("error").object();
  json.member("type", answered(error).type).member("message", message);
  if (!error.reason.empty()) {
    json.key("details").object().member("error_code", error.reason).end_object();
  }
  json.end_object();
  json.member("request_id", request_id);
  json.end_object();
  return json.take();
}

}  // namespace fh::dialects::anthropic
