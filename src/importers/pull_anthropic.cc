// See pull_anthropic.h. Public documentation of the Admin API, state of 2026-08: GET
// /v1/organizations/usage_report/messages (1m up to 1440 buckets a page, 1h 168, 1d 31) and
// /v1/organizations/cost_report (days only, 31), both with page and next_page.

#include "importers/pull_anthropic.h"

#include <fmt/format.h>

#include <array>

#include "importers/anthropic_cost.h"
#include "importers/anthropic_usage.h"

namespace fh::importers {
namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;

std::string window_text(const PullWindow& window, int limit) {
  return fmt::format("starting_at={}&ending_at={}&bucket_width={}&limit={}",
                     iso_seconds(window.from_ns), iso_seconds(window.to_ns),
                     bucket_word(window.bucket), limit);
}

std::string usage_query(const PullWindow& window) {
  // Half of what is allowed for minutes: a page of a busy organization stays of a handy size.
  const int limit = window.bucket == PullBucket::Minute ? 720
                    : window.bucket == PullBucket::Hour ? 168
                                                        : 31;
  std::string query = window_text(window, limit);
  for (const std::string_view group :
       {"model", "workspace_id", "api_key_id", "service_tier", "context_window", "inference_geo"}) {
    query.append("&group_by[]=").append(group);
  }
  return query;
}

std::string cost_query(const PullWindow& window) {
  return window_text(window, 31) + "&group_by[]=workspace_id&group_by[]=description";
}

std::vector<net::Header> headers(const base::Secret& key) {
  return {{"x-api-key", key.reveal()},
          {"anthropic-version", "2023-06-01"},
          {"accept", "application/json"},
          {"user-agent", "freehold"}};
}

}  // namespace

const PullProvider& anthropic_pull() {
  static constexpr std::array<PullEndpoint, 2> kEndpoints = {{
      {"messages", "Anthropic usage", anthropic_usage_format,
       "/v1/organizations/usage_report/messages", usage_query, 24 * kHourNs},
      {"costs", "Anthropic costs", anthropic_cost_format, "/v1/organizations/cost_report",
       cost_query, 72 * kHourNs, true},
  }};
  static constexpr PullProvider kProvider = {
      "anthropic",
      "Anthropic",
      "https://api.anthropic.com",
      "FREEHOLD_ANTHROPIC_ADMIN_KEY",
      "an Admin API key, made by an administrator in the provider's console",
      kEndpoints,
      headers};
  return kProvider;
}

}  // namespace fh::importers
