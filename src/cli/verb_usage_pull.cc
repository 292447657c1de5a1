// freehold usage pull: usage and costs from a provider's admin API into the archive. The key comes
// from a private file or the environment, never from the command line, where other users of the
// machine could read it.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "cli/output.h"
#include "cli/usage_archive_file.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "importers/numbers.h"
#include "importers/pull.h"

namespace fh::cli {
namespace {

using importers::PullBucket;
using importers::PullOutcome;
using importers::PullProvider;

class ArchiveStore final : public importers::PullStore {
 public:
  explicit ArchiveStore(ledger::UsageArchive& archive) : archive_(archive) {}
  base::Result<std::string> cursor(const std::string& name) override {
    return archive_.cursor(name);
  }
  base::Status set_cursor(const std::string& name, const std::string& value) override {
    return archive_.set_cursor(name, value);
  }
  base::Result<importers::PullAdded> add(std::span<const domain::UsageRecord> usage,
                                         std::span<const domain::CostRecord> costs) override {
    FH_TRY(const ledger::AddResult a, archive_.add(usage));
    FH_TRY(const ledger::AddResult b, archive_.add_costs(costs));
    return importers::PullAdded{a.added + b.added, a.replaced + b.replaced,
                                a.repeated + b.repeated};
  }

 private:
  ledger::UsageArchive& archive_;
};

base::Result<std::int64_t> parse_day(const std::string& text, std::string_view flag) {
  const bool iso = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  const auto time = iso ? importers::parse_time_ns(text) : std::nullopt;
  if (time) return *time;
  return base::fail(base::Code::InvalidArgument, fmt::format("{} is no date: {}", flag, text),
                    "like 2026-11-01 (UTC)");
}

PullBucket bucket_of(std::string_view word) {
  return word == "1m" ? PullBucket::Minute : word == "1d" ? PullBucket::Day : PullBucket::Hour;
}

std::string date(std::int64_t unix_ns) {
  const std::string text = importers::iso_seconds(unix_ns);
  return text.ends_with("T00:00:00Z") ? text.substr(0, 10) : text;
}

void print_outcome(const PullOutcome& o) {
  const std::string_view title = o.endpoint->title;
  if (o.lacking) return;
  if (o.up_to_date && !o.error) {
    fmt::print("{}: nothing new up to {}.\n", title, date(o.window.to_ns));
    return;
  }
  if (o.pages > 0) {
    fmt::print("{}: {} records from {} pages, {} to {}: {} new, {} grown, {} known before.\n",
               title, human_count(o.records + o.costs), human_count(o.pages), date(o.begun_ns),
               date(o.complete_ns), human_count(o.added.added), human_count(o.added.replaced),
               human_count(o.added.repeated));
  }
  for (const importers::Skip& skip : o.skips) {
    fmt::print("  skipped: {}, line {}: {}\n", skip.file, skip.line, skip.why);
  }
  if (o.skips_total > o.skips.size()) {
    fmt::print("  {} skipped in all\n", human_count(o.skips_total));
  }
}

void write_outcome(codec::json::Writer& w, const PullOutcome& o) {
  w.object().member("report", o.endpoint->name).member("format", o.endpoint->format().name);
  w.member("bucket", importers::bucket_word(o.window.bucket));
  w.member("from", importers::iso_seconds(o.begun_ns));
  w.member("complete_to", importers::iso_seconds(o.complete_ns));
  w.member("pages", o.pages).member("retries", o.retries).member("up_to_date", o.up_to_date);
  w.member("records", o.records).member("costs", o.costs).member("added", o.added.added);
  w.member("replaced", o.added.replaced).member("repeated", o.added.repeated);
  w.key("skipped").array();
  for (const importers::Skip& skip : o.skips) {
    w.object().member("file", skip.file).member("line", skip.line).member("why", skip.why);
    w.end_object();
  }
  w.end_array().member("skipped_total", o.skips_total);
  if (o.error) {
    w.key("error").object().member("code", base::code_name(o.error->code));
    w.member("message", o.error->message).member("hint", o.error->hint).end_object();
  } else {
    w.member_null("error");
  }
  w.end_object();
}

void print_json(const PullProvider& provider, const std::vector<PullOutcome>& outcomes) {
  codec::json::Writer w;
  std::uint64_t records = 0, costs = 0;
  for (const PullOutcome& outcome : outcomes) {
    records += outcome.records;
    costs += outcome.costs;
  }
  w.object().member("provider", provider.name).member("records", records).member("costs", costs);
  w.key("reports").array();
  for (const PullOutcome& outcome : outcomes) {
    if (!outcome.lacking) write_outcome(w, outcome);
  }
  w.end_array().end_object();
  fmt::print("{}\n", w.str());
}

// Says on a terminal how far it is and why it waits.
class Terminal {
 public:
  ~Terminal() {
    if (open_) fmt::print(stderr, "\r\x1b[K");
  }
  void page(const PullOutcome& o) {
    line(fmt::format("{}: {} pages, up to {}", o.endpoint->title, o.pages, date(o.complete_ns)));
  }
  void sleep(std::int64_t ms) {
    line(fmt::format("waiting {} s before asking again", (ms + 999) / 1000));
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  }

 private:
  void line(const std::string& text) {
    if (!shown_) return;
    fmt::print(stderr, "\r\x1b[K{}", text);
    open_ = true;
  }
  bool shown_ = stderr_is_terminal();
  bool open_ = false;
};

base::Result<std::vector<PullOutcome>> run(const Config& config, const UsagePullArgs& args,
                                           const PullProvider& provider) {
  importers::PullOptions options;
  FH_TRY(options.since_ns, parse_day(args.since, "--since"));
  if (!args.until.empty()) {
    FH_TRY(options.until_ns, parse_day(args.until, "--until"));
  }
  options.bucket = bucket_of(args.bucket);
  options.retries = args.retries;
  options.again = args.again;
  const std::string base_url(args.base_url.empty() ? provider.base_url : args.base_url);
  FH_TRY(const net::WebOrigin origin, net::parse_base_url(base_url));
  FH_TRY(const base::Secret key, importers::read_pull_key(args.key_file, provider.key_variable));
  options.account = importers::key_tag(key);
  if (!args.base_url.empty()) options.account += "@" + origin.text();
  net::WebClient::Options web;
  web.ca_file = args.ca_file;
  web.limits.body_bytes_max = importers::kPageBytesMax;
  FH_TRY(net::WebClient client, net::WebClient::open(net::Dialer({origin.server}), origin, web));
  importers::HttpPageSource pages(std::move(client), provider.headers(key));
  FH_TRY(const auto archive, open_usage_archive(config));
  ArchiveStore store(*archive);
  const base::SystemClock clock;
  base::SystemRandom random;
  Terminal terminal;
  return importers::pull(provider, options,
                         {pages, store, clock, random, [&](std::int64_t ms) { terminal.sleep(ms); },
                          [&](const PullOutcome& outcome) { terminal.page(outcome); }});
}

}  // namespace

int run_usage_pull(const Config& config, const UsagePullArgs& args) {
  const PullProvider* provider = importers::find_pull_provider(args.provider);
  if (provider == nullptr) {
    return print_error({base::Code::InvalidArgument,
                        "there is no provider " + args.provider,
                        "anthropic or openai",
                        {},
                        {}},
                       args.json);
  }
  const auto outcomes = run(config, args, *provider);
  if (!outcomes) return print_error(outcomes.error(), args.json);
  if (args.json) {
    print_json(*provider, *outcomes);
  } else {
    for (const PullOutcome& outcome : *outcomes) print_outcome(outcome);
  }
  int code = kOk;
  for (const PullOutcome& outcome : *outcomes) {
    if (!outcome.error) continue;
    base::Error error = *outcome.error;
    error.message = fmt::format("{}: {}", outcome.endpoint->title, error.message);
    const int failed = print_error(error);
    if (code == kOk) code = failed;
  }
  return code;
}

}  // namespace fh::cli
