// See pull.h.

#include "importers/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/json.h"
#include "codec/url.h"
#include "importers/numbers.h"
#include "importers/pull_anthropic.h"
#include "importers/pull_openai.h"

namespace fh::importers {
namespace {

using codec::json::Document;
using codec::json::Value;

constexpr std::int64_t kBackoffFirstMs = 1'000;
constexpr std::int64_t kBackoffMaxMs = 60'000;
constexpr codec::json::Limits kPageLimits{32, kPageBytesMax, 8'000'000};

std::int64_t floor_to(std::int64_t ns, std::int64_t step) {
  const std::int64_t rest = ns % step;
  return rest < 0 ? ns - rest - step : ns - rest;
}

// What the paging needs of a page; the importer reads the rest.
struct Page {
  bool has_more = false;
  std::string next;
  bool ordered = true;        // its buckets follow each other
  std::int64_t first_ns = 0;  // 0: no bucket, or one without times
  std::int64_t last_end_ns = 0;
};

std::optional<std::int64_t> time_in(Value bucket, std::string_view iso, std::string_view unix) {
  const std::string_view text = number_text(bucket[bucket[iso].exists() ? iso : unix]);
  return parse_time_ns(text);
}

base::Result<Page> read_page(const std::string& body) {
  const auto malformed = [](std::string_view what) {
    return base::fail(base::Code::Unavailable, fmt::format("the answer is not a page: {}", what),
                      "pull again later: it goes on where it stopped");
  };
  const auto document = Document::parse(body, kPageLimits);
  if (!document) return malformed("no valid JSON");
  const Value root = document->root();
  if (!root.is_object() || !root["data"].is_array()) return malformed("it has no list of buckets");
  Page page;
  page.has_more = root["has_more"].as_bool().value_or(false);
  page.next = root["next_page"].as_string().value_or("");
  if (page.has_more && page.next.empty()) return malformed("it does not name the next one");
  for (const Value bucket : root["data"].elements()) {
    const auto start = time_in(bucket, "starting_at", "start_time");
    const auto end = time_in(bucket, "ending_at", "end_time");
    if (!start || !end || *end <= *start) {
      page.ordered = false;
      break;
    }
    page.ordered = page.ordered && *start >= page.last_end_ns;
    if (page.first_ns == 0) page.first_ns = *start;
    page.last_end_ns = *end;
  }
  return page;
}

class PageSink final : public Sink {
 public:
  PageSink(PullOutcome& outcome, std::string where) : outcome_(outcome), where_(std::move(where)) {}
  void usage(domain::UsageRecord&& record) override { records.push_back(std::move(record)); }
  void cost(domain::CostRecord&& record) override { costs.push_back(std::move(record)); }
  void skip(std::uint64_t line, std::string why) override {
    ++outcome_.skips_total;
    if (outcome_.skips.size() < kPullSkipsMax) {
      outcome_.skips.push_back({where_, line, std::move(why)});
    }
  }

  std::vector<domain::UsageRecord> records;
  std::vector<domain::CostRecord> costs;

 private:
  PullOutcome& outcome_;
  std::string where_;
};

// What is known of an endpoint in one width of buckets, as four times: the stretch that is complete
// and not going to change, and the hull of everything that was ever stored.
struct Cursor {
  std::int64_t from_ns = 0, to_ns = 0;
  std::int64_t hull_from_ns = 0, hull_to_ns = 0;
  bool operator==(const Cursor&) const = default;

  static std::optional<Cursor> parse(std::string_view text) {
    std::array<std::int64_t, 4> times{};
    for (std::int64_t& time : times) {
      const std::size_t blank = std::min(text.find(' '), text.size());
      const auto parsed = parse_time_ns(text.substr(0, blank));
      if (!parsed) return std::nullopt;
      time = *parsed;
      text.remove_prefix(std::min(blank + 1, text.size()));
    }
    return Cursor{times[0], times[1], times[2], times[3]};
  }
  std::string text() const {
    return fmt::format("{} {} {} {}", iso_seconds(from_ns), iso_seconds(to_ns),
                       iso_seconds(hull_from_ns), iso_seconds(hull_to_ns));
  }
};

class EndpointPull {
 public:
  EndpointPull(const PullProvider& provider, const PullEndpoint& endpoint,
               const PullOptions& options, const PullDeps& deps)
      : provider_(provider), endpoint_(endpoint), options_(options), deps_(deps) {
    out_.endpoint = &endpoint;
  }

  // The outcome holds the error, too, so that what was done before it is told.
  PullOutcome run() {
    base::Status status = set_window();
    if (status) status = check_other_widths();
    if (status) status = set_begin();
    if (status && !out_.up_to_date) status = pull_pages();
    if (!status) out_.error = std::move(status).error();
    return std::move(out_);
  }

 private:
  PullBucket bucket() const { return endpoint_.days_only ? PullBucket::Day : options_.bucket; }

  // The records' format comes first, so that forgetting a format forgets its cursors.
  std::string cursor_name(PullBucket width) const {
    return fmt::format("{}/{}/{}/{}", endpoint_.format().name, endpoint_.name, bucket_word(width),
                       options_.account);
  }

  base::Status set_window() {
    const std::int64_t step = bucket_ns(bucket());
    const std::int64_t now = deps_.clock.unix_ns();
    const std::int64_t until = options_.until_ns == 0 ? now : std::min(options_.until_ns, now);
    out_.window = {floor_to(options_.since_ns, step), floor_to(until, step), bucket()};
    if (out_.window.from_ns < out_.window.to_ns) return {};
    if (options_.since_ns >= now || (options_.until_ns != 0 && options_.until_ns <= now)) {
      return base::fail(base::Code::InvalidArgument,
                        "there is no time between the beginning and the end of this pull",
                        "--since must lie in the past and before --until");
    }
    // Today, by the day: nothing is wrong, there just is no whole day yet.
    out_.up_to_date = true;
    return {};
  }

  // Buckets of another width hold the same tokens under other names.
  base::Status check_other_widths() {
    for (const PullBucket other : {PullBucket::Minute, PullBucket::Hour, PullBucket::Day}) {
      if (other == bucket()) continue;
      FH_TRY(const std::string text, deps_.store.cursor(cursor_name(other)));
      const auto cursor = Cursor::parse(text);
      if (!cursor || cursor->from_ns >= out_.window.to_ns || cursor->to_ns <= out_.window.from_ns) {
        continue;
      }
      return base::fail(
          base::Code::FailedPrecondition,
          fmt::format("{} of this time was pulled in buckets of {}: in buckets of {} it would "
                      "count twice",
                      endpoint_.title, bucket_word(other), bucket_word(bucket())),
          fmt::format("use --bucket {}, or forget it first: freehold usage forget {}",
                      bucket_word(other), endpoint_.format().name));
    }
    return {};
  }

  base::Status set_begin() {
    const std::int64_t from = out_.window.from_ns;
    out_.begun_ns = out_.complete_ns = from;
    FH_TRY(const std::string text, deps_.store.cursor(cursor_name(bucket())));
    const auto known = Cursor::parse(text);
    cursor_ = known.value_or(Cursor{from, from, from, from});
    cursor_.hull_from_ns = std::min(cursor_.hull_from_ns, from);
    if (!known || options_.again || known->from_ns > from || known->to_ns < from) {
      cursor_.from_ns = cursor_.to_ns = from;
      return {};
    }
    out_.begun_ns = out_.complete_ns = std::min(known->to_ns, out_.window.to_ns);
    out_.up_to_date = out_.begun_ns >= out_.window.to_ns;
    return {};
  }

  base::Status pull_pages() {
    PullWindow window = out_.window;
    window.from_ns = out_.begun_ns;
    const std::string first = fmt::format("{}?{}", endpoint_.path, endpoint_.query(window));
    std::string token;
    for (std::size_t n = 0; n < kPullPagesMax; ++n) {
      std::string body;
      FH_TRY(const Page page, get(token.empty() ? first : first + "&page=" + token, body));
      if (out_.lacking) return {};
      FH_TRY_VOID(store(body));
      const std::string next = codec::url::percent_encode(page.next);
      if (page.has_more && next == token) {
        return base::fail(base::Code::Unavailable,
                          fmt::format("{} names the same page again and again", provider_.title),
                          "pull again later: it goes on where it stopped");
      }
      FH_TRY_VOID(advance(page));
      if (deps_.progress) deps_.progress(out_);
      if (!page.has_more) return {};
      token = next;
    }
    return base::fail(base::Code::ResourceExhausted, "the report has more pages than are taken",
                      "pull it in parts, with --until");
  }

  // The next page, asked for until it comes whole.
  base::Result<Page> get(const std::string& target, std::string& body) {
    for (unsigned attempt = 0;; ++attempt) {
      PullFailure failure;
      base::Result<net::HttpResponse> response = deps_.pages.get(target);
      if (!response) {
        failure = failure_of(std::move(response).error());
      } else if (response->status == 404 && endpoint_.may_lack) {
        out_.lacking = true;
        return Page{};
      } else if (response->status != 200) {
        failure = failure_of(*response, provider_.title);
        if (response->status == 401) failure.error.hint = provider_.key_hint;
      } else {
        body = std::move(response->body);
        base::Result<Page> page = read_page(body);
        if (page) return page;
        failure.error = std::move(page).error();
        failure.again = true;
      }
      if (!failure.again || attempt >= options_.retries) return std::unexpected(failure.error);
      if (failure.wait_ms.value_or(0) > kPullWaitMaxMs) {
        failure.error.hint =
            fmt::format("it asks to wait {} s: pull again then, it goes on where it stopped",
                        *failure.wait_ms / 1000);
        return std::unexpected(failure.error);
      }
      ++out_.retries;
      deps_.sleep(wait_ms(failure, attempt));
    }
  }

  // Exponential, with the upper half by chance, so that many clients do not come back together;
  // never sooner than the server asked.
  std::int64_t wait_ms(const PullFailure& failure, unsigned attempt) {
    const std::int64_t step = std::min(kBackoffMaxMs, kBackoffFirstMs << std::min(attempt, 16U));
    const auto half = static_cast<std::uint64_t>(step / 2);
    if (failure.wait_ms) {
      return *failure.wait_ms + static_cast<std::int64_t>(deps_.random.below(250));
    }
    return static_cast<std::int64_t>(half + deps_.random.below(half + 1));
  }

  base::Status store(const std::string& body) {
    PageSink sink(out_, fmt::format("{}, page {}", endpoint_.title, out_.pages + 1));
    const FileHint hint{endpoint_.path, std::string_view(body).substr(0, kHeadBytes)};
    FH_TRY(const std::unique_ptr<Importer> importer, endpoint_.format().open(hint, {}));
    importer->feed(body, sink);
    importer->finish(sink);
    FH_TRY(const PullAdded added, deps_.store.add(sink.records, sink.costs));
    ++out_.pages;
    out_.records += sink.records.size();
    out_.costs += sink.costs.size();
    out_.added.added += added.added;
    out_.added.replaced += added.replaced;
    out_.added.repeated += added.repeated;
    return {};
  }

  // The page is stored: the next pull begins behind it, unless its numbers may still change.
  base::Status advance(const Page& page) {
    ordered_ = ordered_ && page.ordered && (page.first_ns == 0 || page.first_ns >= last_end_ns_);
    if (page.last_end_ns > 0) last_end_ns_ = page.last_end_ns;
    if (!page.has_more) {
      out_.complete_ns = out_.window.to_ns;
    } else if (ordered_) {
      out_.complete_ns = std::clamp(page.last_end_ns, out_.complete_ns, out_.window.to_ns);
    }
    const std::int64_t settled =
        floor_to(deps_.clock.unix_ns() - endpoint_.settle_ns, bucket_ns(bucket()));
    Cursor next = cursor_;
    next.to_ns = std::max(next.to_ns, std::min(out_.complete_ns, settled));
    next.hull_to_ns = std::max(next.hull_to_ns, page.has_more ? last_end_ns_ : out_.window.to_ns);
    if (next == cursor_) return {};
    cursor_ = next;
    return deps_.store.set_cursor(cursor_name(bucket()), cursor_.text());
  }

  const PullProvider& provider_;
  const PullEndpoint& endpoint_;
  const PullOptions& options_;
  const PullDeps& deps_;
  PullOutcome out_;
  Cursor cursor_;
  bool ordered_ = true;
  std::int64_t last_end_ns_ = 0;
};

}  // namespace

std::string_view bucket_word(PullBucket bucket) {
  switch (bucket) {
    case PullBucket::Minute: return "1m";
    case PullBucket::Hour: return "1h";
    case PullBucket::Day: break;
  }
  return "1d";
}

std::int64_t bucket_ns(PullBucket bucket) {
  switch (bucket) {
    case PullBucket::Minute: return 60 * kSecondNs;
    case PullBucket::Hour: return 3600 * kSecondNs;
    case PullBucket::Day: break;
  }
  return kDayNs;
}

std::string iso_seconds(std::int64_t unix_ns) {
  return base::format_rfc3339(unix_ns).substr(0, 19) + "Z";
}

std::span<const PullProvider* const> pull_providers() {
  static const std::array<const PullProvider*, 2> kProviders = {&anthropic_pull(), &openai_pull()};
  return kProviders;
}

const PullProvider* find_pull_provider(std::string_view name) {
  for (const PullProvider* provider : pull_providers()) {
    if (provider->name == name) return provider;
  }
  return nullptr;
}

base::Result<std::vector<PullOutcome>> pull(const PullProvider& provider,
                                            const PullOptions& options, const PullDeps& deps) {
  std::vector<PullOutcome> outcomes;
  for (const PullEndpoint& endpoint : provider.endpoints) {
    PullOutcome outcome = EndpointPull(provider, endpoint, options, deps).run();
    if (outcome.error && outcome.error->code == base::Code::InvalidArgument) {
      return std::unexpected(*outcome.error);
    }
    const bool refused = outcome.error && outcome.error->code == base::Code::Unauthenticated;
    outcomes.push_back(std::move(outcome));
    if (refused) break;
  }
  return outcomes;
}

}  // namespace fh::importers
