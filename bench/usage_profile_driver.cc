// Prices and profiles made-up usage records: usage_profile_driver RECORDS. One JSON line with the
// seconds that ProfileBuilder took; making the records is not counted. They are like a year of a
// team's coding work: 9 models of three makers, 6 workloads, 400 users, requests in order of time.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "planner/profile.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 4096;
constexpr std::array<std::array<const char*, 2>, 9> kModels = {
    {{"anthropic", "claude-opus-5-5"},
     {"anthropic", "claude-sonnet-5-5"},
     {"anthropic", "claude-haiku-5-5-20261007"},
     {"openai", "gpt-6.1-sol"},
     {"openai", "gpt-5.6-luna-high"},
     {"google", "models/gemini-4-argon"},
     {"deepseek", "deepseek-flash"},
     {"cursor", "composer-1"},
     {"cursor", "auto"}}};
constexpr std::int64_t kBegin = 1'791'504'000'000'000'000;  // 2026-10-09

// xorshift64: the same records on every run.
struct Numbers {
  std::uint64_t state = 88'172'645'463'325'252ULL;
  std::uint64_t next(std::uint64_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
  }
};

void fill(fh::domain::UsageRecord& r, Numbers& numbers, std::int64_t when) {
  const auto& model = kModels[numbers.next(kModels.size())];
  r.format = "bench";
  r.provider = model[0];
  r.model = model[1];
  r.start_unix_ns = when;
  r.end_unix_ns = when + 5'000'000'000;
  r.workload = fmt::format("workload-{}", numbers.next(6));
  r.user = fmt::format("user-{}@example.com", numbers.next(400));
  r.usage.input_uncached = numbers.next(4000);
  r.usage.cache_read = numbers.next(200'000);
  r.usage.cache_write_5m = numbers.next(5000);
  r.usage.output = numbers.next(1200);
}

int run(std::uint64_t records) {
  const fh::pricing::PriceBook& book = fh::pricing::PriceBook::bundled();
  const fh::planner::ModelNames names(book);
  fh::planner::ProfileBuilder builder(book, names);
  Numbers numbers;
  std::vector<fh::domain::UsageRecord> batch(kBatch);
  Clock::duration took{};
  std::int64_t when = kBegin;
  for (std::uint64_t done = 0; done < records; done += kBatch) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, records - done));
    for (std::size_t i = 0; i < count; ++i) {
      when += static_cast<std::int64_t>(numbers.next(700'000'000));
      fill(batch[i], numbers, when);
    }
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      if (const auto added = builder.add(batch[i]); !added) {
        fmt::print(stderr, "{}\n", added.error().text());
        return 2;
      }
    }
    took += Clock::now() - begin;
  }
  const auto begin = Clock::now();
  const auto profile = builder.finish();
  took += Clock::now() - begin;
  if (!profile) {
    fmt::print(stderr, "{}\n", profile.error().text());
    return 2;
  }
  fmt::print(R"({{"records":{},"seconds":{:.3f},"rows":{},"priced_micro_usd":{}}})"
             "\n",
             profile->records, std::chrono::duration<double>(took).count(), profile->rows.size(),
             profile->priced.low.value);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t records = 0;
  const std::string_view text = argc == 2 ? argv[1] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), records);
  if (error != std::errc() || end != text.data() + text.size() || records == 0) {
    fmt::print(stderr, "usage: usage_profile_driver RECORDS\n");
    return 2;
  }
  return run(records);
}
