#pragma once
// Pulling usage and costs from a provider's admin API: pages in order of time, each read by the
// importer of its format and stored before the next is asked for. What limits, a cut connection or
// a broken page cost is the page at hand: it is asked for again a bounded number of times, and when
// that is not enough, the next pull goes on behind the last whole page.
//
// How far a pull came is a cursor in the store: the stretch of time that is complete. It stops
// short of the present by the time in which the provider may still change its numbers, so that
// those buckets are asked for again; the store keeps the larger reading. Page tokens are not kept:
// they end with the pull. One thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "importers/importer.h"
#include "importers/pull_http.h"

namespace fh::importers {

enum class PullBucket : std::uint8_t { Minute, Hour, Day };
std::string_view bucket_word(PullBucket bucket);  // "1m", "1h", "1d", as the APIs write it
std::int64_t bucket_ns(PullBucket bucket);

// [from, to) on borders of buckets.
struct PullWindow {
  std::int64_t from_ns = 0, to_ns = 0;
  PullBucket bucket = PullBucket::Hour;
};
std::string iso_seconds(std::int64_t unix_ns);  // "2026-11-24T00:00:00Z"

struct PullEndpoint {
  std::string_view name;   // "messages"
  std::string_view title;  // "Anthropic usage"
  const Format& (*format)();
  std::string_view path;
  std::string (*query)(const PullWindow& window);  // encoded, without the page
  std::int64_t settle_ns;                          // how long a bucket may still change
  bool days_only = false;
  bool may_lack = false;  // servers without it are no error
};

struct PullProvider {
  std::string_view name;          // "anthropic"
  std::string_view title;         // "Anthropic"
  std::string_view base_url;      // of the public API
  std::string_view key_variable;  // environment variable of the admin key
  std::string_view key_hint;      // what kind of key, and where it is made
  std::span<const PullEndpoint> endpoints;
  std::vector<net::Header> (*headers)(const base::Secret& key);
};
// nullptr: none of that name.
const PullProvider* find_pull_provider(std::string_view name);
std::span<const PullProvider* const> pull_providers();

struct PullAdded {
  std::uint64_t added = 0, replaced = 0, repeated = 0;
};

// Where it goes: the archive, a test.
class PullStore {
 public:
  virtual ~PullStore() = default;
  virtual base::Result<std::string> cursor(const std::string& name) = 0;
  virtual base::Status set_cursor(const std::string& name, const std::string& value) = 0;
  virtual base::Result<PullAdded> add(std::span<const domain::UsageRecord> usage,
                                      std::span<const domain::CostRecord> costs) = 0;
};

struct PullOptions {
  std::int64_t since_ns = 0;
  std::int64_t until_ns = 0;  // 0: the last whole bucket before now
  PullBucket bucket = PullBucket::Hour;
  std::string account;  // tells accounts and servers apart in the names of cursors
  unsigned retries = 5;
  bool again = false;  // from `since_ns`, whatever was pulled before
};

struct PullOutcome {
  const PullEndpoint* endpoint = nullptr;
  PullWindow window;             // what was asked for
  std::int64_t begun_ns = 0;     // where this pull began in it
  std::int64_t complete_ns = 0;  // up to where everything is there
  std::uint64_t pages = 0, retries = 0;
  std::uint64_t records = 0, costs = 0;
  PullAdded added;
  std::vector<Skip> skips;  // the first kPullSkipsMax
  std::uint64_t skips_total = 0;
  bool up_to_date = false;  // nothing had to be asked for
  bool lacking = false;     // the server does not have it, which is no error
  std::optional<base::Error> error;
};
inline constexpr std::size_t kPullSkipsMax = 100;
inline constexpr std::size_t kPullPagesMax = 100'000;
inline constexpr std::int64_t kPullWaitMaxMs = 300'000;  // a longer retry-after ends the pull

struct PullDeps {
  PageSource& pages;
  PullStore& store;
  const base::Clock& clock;
  base::Random& random;
  std::function<void(std::int64_t ms)> sleep;
  std::function<void(const PullOutcome&)> progress;  // after every page; may be empty
};

// One outcome per endpoint that was tried. After a refused key no further one is tried. Error:
// InvalidArgument for a window without a whole bucket.
base::Result<std::vector<PullOutcome>> pull(const PullProvider& provider,
                                            const PullOptions& options, const PullDeps& deps);

}  // namespace fh::importers
