#pragma once
// Sample rows and files for the tests of this folder. Not part of the product.

#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/random.h"
#include "ledger/ledger.h"

namespace fh::ledger::testing {

inline constexpr std::int64_t kDayNs = 86'400LL * 1'000'000'000;
inline constexpr std::int64_t kStartNs = 1'767'225'600LL * 1'000'000'000;  // 2026-01-01

inline Admission admission(const std::string& id, std::uint32_t attempt = 1) {
  Admission a;
  a.request_id = id;
  a.attempt = attempt;
  a.key_id = "key_a";
  a.project = "default";
  a.workload = "chat";
  a.dialect = "anthropic";
  a.model_requested = "claude-opus-5-5";
  a.model_served = "starter";
  a.upstream = "local";
  a.prompt_tokens = 120;
  a.max_output_tokens = 64;
  a.stream = true;
  a.received_unix_ns = kStartNs;
  a.admitted_unix_ns = kStartNs + 1'000'000;
  return a;
}

inline Settlement settlement(const std::string& id, std::uint32_t attempt = 1) {
  Settlement s;
  s.request_id = id;
  s.attempt = attempt;
  s.usage = {20, 90, 5, 3, 2, 40, 7};
  s.work = {30, 80, 10};
  s.reason = domain::EndReason::Stop;
  s.http_status = 200;
  s.cost = domain::MicroUsd{0};
  s.charge = domain::MicroUsd{12};
  s.api_costs = {{"anthropic/claude-opus-5-5", domain::MicroUsd{345}},
                 {"acme/unknown", std::nullopt}};
  s.price_version = "2026-11-22";
  s.timings = {11, 22, 33};
  s.first_token_unix_ns = kStartNs + 5'000'000;
  s.ended_unix_ns = kStartNs + 9'000'000;
  return s;
}

inline Admission random_admission(base::Random& random, const std::string& id) {
  Admission a = admission(id);
  a.key_id = "key_" + std::to_string(random.below(3));
  a.workload = random.below(4) == 0 ? "" : "w" + std::to_string(random.below(2));
  a.model_served = random.below(5) == 0 ? "" : "m" + std::to_string(random.below(3));
  a.admitted_unix_ns = kStartNs + static_cast<std::int64_t>(random.below(20ULL * kDayNs));
  return a;
}

inline Settlement random_settlement(base::Random& random, const std::string& id) {
  Settlement s = settlement(id);
  s.usage = {random.below(100'000),
             random.below(100'000),
             random.below(500),
             random.below(500),
             random.below(500),
             random.below(9'000),
             0};
  s.usage.reasoning = random.below(s.usage.output + 1);
  s.work = {random.below(1'000), random.below(1'000), random.below(1'000)};
  s.reason = static_cast<domain::EndReason>(random.below(13));
  s.source = static_cast<domain::UsageSource>(random.below(3));
  s.cost.reset();
  if (random.below(3) != 0)
    s.cost = domain::MicroUsd{static_cast<std::int64_t>(random.below(1'000'000))};
  s.api_costs.clear();
  for (const char* model : {"z/first", "a/second", "m/third"}) {
    if (random.below(6) == 0) continue;
    ApiCost api{model, std::nullopt};
    if (random.below(4) != 0)
      api.cost = domain::MicroUsd{static_cast<std::int64_t>(random.below(1'000'000))};
    s.api_costs.push_back(std::move(api));
  }
  return s;
}

// A folder of its own that goes when the test ends.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "fh-ledger-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline bool same(const Admission& x, const Admission& y) {
  return x.request_id == y.request_id && x.attempt == y.attempt && x.key_id == y.key_id &&
         x.project == y.project && x.workload == y.workload && x.dialect == y.dialect &&
         x.model_requested == y.model_requested && x.model_served == y.model_served &&
         x.upstream == y.upstream && x.prompt_tokens == y.prompt_tokens &&
         x.max_output_tokens == y.max_output_tokens && x.stream == y.stream &&
         x.received_unix_ns == y.received_unix_ns && x.admitted_unix_ns == y.admitted_unix_ns;
}

inline bool same(const Settlement& x, const Settlement& y) {
  if (x.api_costs.size() != y.api_costs.size()) return false;
  for (std::size_t i = 0; i < x.api_costs.size(); ++i) {
    if (x.api_costs[i].model != y.api_costs[i].model || x.api_costs[i].cost != y.api_costs[i].cost)
      return false;
  }
  return x.request_id == y.request_id && x.attempt == y.attempt && x.usage == y.usage &&
         x.source == y.source && x.work == y.work && x.reason == y.reason &&
         x.error_code == y.error_code && x.http_status == y.http_status && x.cost == y.cost &&
         x.charge == y.charge && x.price_version == y.price_version && x.timings == y.timings &&
         x.first_token_unix_ns == y.first_token_unix_ns && x.ended_unix_ns == y.ended_unix_ns;
}

}  // namespace fh::ledger::testing
