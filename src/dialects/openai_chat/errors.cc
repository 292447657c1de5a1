// Errors of the OpenAI surfaces; see errors.h.

#include "dialects/openai_chat/errors.h"

#include <fmt/format.h>

#include "codec/json.h"
#include "dialects/failures.h"

namespace fh::dialects::openai_chat {
namespace {

using base::Code;

struct Answered {
  int status;
  std::string_view type;
  std::string_view code;  // used when the error carries no reason; empty = null
};

Answered answered(const base::Error& error) {
  if (error.reason == kReasonTooLarge) return {413, "invalid_request_error", ""};
  if (error.reason == kReasonBudget) return {429, "insufficient_quota", ""};
  switch (error.code) {
    case Code::Unauthenticated: return {401, "invalid_request_error", "invalid_api_key"};
    case Code::PermissionDenied: return {403, "invalid_request_error", "permission_denied"};
    case Code::NotFound: return {404, "invalid_request_error", "not_found"};
    case Code::AlreadyExists:
    case Code::Aborted: return {409, "invalid_request_error", "conflict"};
    case Code::ResourceExhausted: return {429, "rate_limit_error", "rate_limit_exceeded"};
    case Code::DeadlineExceeded: return {504, "server_error", "timeout"};
    case Code::Unavailable: return {503, "server_error", "server_is_overloaded"};
    case Code::Internal:
    case Code::Unknown:
    case Code::DataLoss: return {500, "server_error", "server_error"};
    case Code::Cancelled:
    case Code::InvalidArgument:
    case Code::OutOfRange:
    case Code::FailedPrecondition:
    case Code::Unimplemented: break;
  }
  return {400, "invalid_request_error", ""};
}

std::string overflow_sentence(const OverflowCounts& counts) {
  std::string parts;
  if (counts.tool_tokens > 0) {
    parts = fmt::format(" ({} in the messages, {} in the tools)",
                        counts.prompt_tokens - counts.tool_tokens, counts.tool_tokens);
  }
  return fmt::format(
      "This model's maximum context length is {} tokens. However, your messages resulted in {} "
      "tokens{}. Please reduce the length of the messages.",
      counts.context_tokens, counts.prompt_tokens, parts);
}

std::string_view code_of(const base::Error& error, const Answered& answer) {
  // Clients know these by OpenAI's names.
  if (error.reason == kReasonBudget) return "insufficient_quota";
  if (answer.status == 429) return answer.code;
  return error.reason.empty() ? answer.code : std::string_view(error.reason);
}

void write_nullable(codec::json::Writer& json, std::string_view key, std::string_view value) {
  if (value.empty()) {
    json.member_null(key);
  } else {
    json.member(key, value);
  }
}

}  // namespace

int http_status(const base::Error& error) {
  return answered(error).status;
}

std::string error_body(const base::Error& error, std::string_view /*request_id*/,
                       std::string_view overflow_param) {
  const Answered answer = answered(error);
  const auto counts = overflow_counts(error);
  std::string_view param = error.field;
  if (counts) param = overflow_param;
  if (error.reason == kReasonModelNotFound && param.empty()) param = "model";
  codec::json::Writer json;
  json.object().key("error").object();
  json.member("message", counts ? overflow_sentence(*counts) : shown_message(error));
  json.member("type", answer.type);
  write_nullable(json, "param", param);
  write_nullable(json, "code", code_of(error, answer));
  json.end_object().end_object();
  return json.take();
}

}  // namespace fh::dialects::openai_chat
