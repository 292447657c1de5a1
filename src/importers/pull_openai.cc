// See pull_openai.h. Members as in the public client library, state of 2026-08: GET
// /v1/organization/usage/{completions,embeddings} (1m up to 1440 buckets a page, 1h 168, 1d 31) and
// /v1/organization/costs (days only, 180), with page and next_page; lists in the query are written
// with brackets, as that library does.

#include "importers/pull_openai.h"

#include <fmt/format.h>

#include <array>
#include <initializer_list>

#include "importers/openai_costs.h"
#include "importers/openai_usage.h"

namespace fh::importers {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHourNs = 3600 * kSecond;

std::string query_of(const PullWindow& window, int limit,
                     std::initializer_list<std::string_view> groups) {
  std::string query =
      fmt::format("start_time={}&end_time={}&bucket_width={}&limit={}", window.from_ns / kSecond,
                  window.to_ns / kSecond, bucket_word(window.bucket), limit);
  for (const std::string_view group : groups) query.append("&group_by[]=").append(group);
  return query;
}

int usage_limit(PullBucket bucket) {
  // Half of what is allowed for minutes: a page of a busy organization stays of a handy size.
  return bucket == PullBucket::Minute ? 720 : bucket == PullBucket::Hour ? 168 : 31;
}

std::string completions_query(const PullWindow& window) {
  return query_of(window, usage_limit(window.bucket),
                  {"project_id", "user_id", "api_key_id", "model", "batch", "service_tier"});
}

std::string embeddings_query(const PullWindow& window) {
  return query_of(window, usage_limit(window.bucket),
                  {"project_id", "user_id", "api_key_id", "model"});
}

std::string costs_query(const PullWindow& window) {
  return query_of(window, 180, {"project_id", "line_item"});
}

std::vector<net::Header> headers(const base::Secret& key) {
  return {{"authorization", "Bearer " + key.reveal()},
          {"accept", "application/json"},
          {"user-agent", "freehold"}};
}

}  // namespace

const PullProvider& openai_pull() {
  static constexpr std::array<PullEndpoint, 3> kEndpoints = {{
      {"completions", "OpenAI usage", openai_usage_format, "/v1/organization/usage/completions",
       completions_query, 24 * kHourNs},
      {"embeddings", "OpenAI embeddings", openai_usage_format, "/v1/organization/usage/embeddings",
       embeddings_query, 24 * kHourNs, false, true},
      {"costs", "OpenAI costs", openai_costs_format, "/v1/organization/costs", costs_query,
       72 * kHourNs, true},
  }};
  static constexpr PullProvider kProvider = {
      "openai",
      "OpenAI",
      "https://api.openai.com",
      "FREEHOLD_OPENAI_ADMIN_KEY",
      "an admin key, made by an owner in the organization's settings",
      kEndpoints,
      headers};
  return kProvider;
}

}  // namespace fh::importers
