#include "gateway/request_log.h"

#include <algorithm>
#include <string>

#include "base/log.h"
#include "dialects/blocks.h"

namespace fh::gateway {
namespace {

constexpr int kServerError = 500;

std::string_view surface_name(Surface surface) {
  switch (surface) {
    case Surface::Anthropic: return "anthropic";
    case Surface::OpenAi: return "openai_chat";
    case Surface::Admin: return "admin";
    case Surface::Plain: break;
  }
  return "plain";
}

// Reasons are words of this program. One that looks different has come from elsewhere.
std::string_view why(const base::Error& error) {
  constexpr std::size_t kReasonMax = 64;
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const bool ours = !error.reason.empty() && error.reason.size() <= kReasonMax &&
                    std::ranges::all_of(error.reason, plain);
  return ours ? std::string_view(error.reason) : base::code_name(error.code);
}

}  // namespace

void log_ended(const ledger::Admission& admission, const ledger::Settlement& row) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  const bool failed =
      row.http_status >= kServerError || dialects::failure_of(row.reason).has_value();
  base::log_if_taken(
      failed ? base::Level::Warn : base::Level::Info, "request ended",
      {{"request_id", admission.request_id},
       {"key", admission.key_id},
       {"api", admission.dialect},
       {"model", admission.model_served},
       {"status", std::to_string(row.http_status)},
       {"end", domain::end_reason_name(row.reason)},
       {"input", std::to_string(row.usage.prompt_total())},
       {"cached", std::to_string(row.usage.cache_read)},
       {"output", std::to_string(row.usage.output)},
       {"ms", std::to_string((row.ended_unix_ns - admission.received_unix_ns) / kNsPerMs)}});
}

void log_counted(std::string_view request_id, std::string_view model, std::uint64_t tokens) {
  base::log_if_taken(
      base::Level::Info, "tokens counted",
      {{"request_id", request_id}, {"model", model}, {"input", std::to_string(tokens)}});
}

void log_refused(Surface surface, std::string_view request_id, const base::Error& error,
                 int http_status) {
  base::log_if_taken(http_status >= kServerError ? base::Level::Warn : base::Level::Info,
                     "request refused",
                     {{"request_id", request_id},
                      {"api", surface_name(surface)},
                      {"status", std::to_string(http_status)},
                      {"why", why(error)}});
}

}  // namespace fh::gateway
