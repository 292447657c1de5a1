// freehold usage import: reads usage from files and folders into the archive <data>/usage.db, and
// says what it found, what it passed over and why. freehold usage forget: takes a format out again.
//
// Records are stored in batches between pieces of files. A file is noted as done only after its
// records are stored, so that an import which is killed repeats at most what it had not noted, and
// the archive ends the same.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>

#include "base/clock.h"
#include "base/os/file.h"
#include "cli/output.h"
#include "cli/usage_archive_file.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "importers/unknown.h"
#include "importers/walk.h"

namespace fh::cli {
namespace {

using importers::FileReport;
using importers::RunSummary;
using importers::Totals;

constexpr std::size_t kBatchRecords = 50'000;
constexpr std::size_t kBatchFiles = 4'096;
constexpr std::size_t kMappingBytesMax = 1024 * 1024;
constexpr std::size_t kSkipsShown = 20;

// What goes to the archive: everything is held until a batch is full.
class Storing {
 public:
  // `archive` may be nullptr: nothing is kept.
  explicit Storing(ledger::UsageArchive* archive) : archive_(archive) {}

  void usage(domain::UsageRecord&& record) {
    if (keep()) usage_.push_back(std::move(record));
  }
  void cost(domain::CostRecord&& record) {
    if (keep()) costs_.push_back(std::move(record));
  }
  base::Status checkpoint() {
    return usage_.size() + costs_.size() < kBatchRecords ? base::Status{} : flush();
  }
  // Whether the file at hand lies in the archive as it is now; also sets what becomes of its
  // records.
  base::Result<bool> begin(const importers::FoundFile& file) {
    known_ = false;
    if (archive_ == nullptr) return false;
    FH_TRY(const auto before, archive_->file(name_of(file)));
    known_ = before && before->complete && before->size_bytes == file.size_bytes &&
             before->modified_unix_ns == file.modified_unix_ns;
    return known_;
  }
  void store_known() { known_ = false; }
  base::Status done(const FileReport& report) {
    if (archive_ == nullptr || report.unchanged || !report.complete || known_) return {};
    files_.push_back({name_of(report.file), report.format, report.sha256_head,
                      report.file.size_bytes, report.file.modified_unix_ns, true});
    return files_.size() < kBatchFiles ? base::Status{} : flush();
  }
  base::Status flush() {
    if (archive_ == nullptr) return {};
    if (!usage_.empty()) {
      FH_TRY(const ledger::AddResult added, archive_->add(usage_));
      count(added);
    }
    usage_.clear();
    if (!costs_.empty()) {
      FH_TRY(const ledger::AddResult added, archive_->add_costs(costs_));
      count(added);
    }
    costs_.clear();
    for (const ledger::ImportedFile& file : files_) FH_TRY_VOID(archive_->note_file(file));
    files_.clear();
    return {};
  }
  const ledger::AddResult& stored() const { return stored_; }

 private:
  bool keep() const { return archive_ != nullptr && !known_; }
  // One name per file, wherever the import is called from.
  static std::string name_of(const importers::FoundFile& file) {
    std::error_code error;
    const auto path = std::filesystem::weakly_canonical(file.path, error);
    return error ? file.path : path.string();
  }
  void count(const ledger::AddResult& added) {
    stored_.added += added.added;
    stored_.replaced += added.replaced;
    stored_.repeated += added.repeated;
  }

  ledger::UsageArchive* archive_;
  std::vector<domain::UsageRecord> usage_;
  std::vector<domain::CostRecord> costs_;
  std::vector<ledger::ImportedFile> files_;
  ledger::AddResult stored_;
  bool known_ = false;
};

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min", (seconds + 59) / 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

// One line on a terminal, rewritten a few times a second; nothing elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(const base::Clock& clock)
      : clock_(clock), shown_(stderr_is_terminal()), next_(clock.now()) {}
  ~ProgressLine() {
    if (open_) fmt::print(stderr, "\r\x1b[K");
  }
  void update(const importers::Progress& p) {
    if (!shown_ || clock_.now() < next_) return;
    next_ = clock_.now() + std::chrono::milliseconds(200);
    open_ = true;
    const std::uint64_t percent = p.bytes_total == 0 ? 0 : p.bytes_done * 100 / p.bytes_total;
    fmt::print(stderr, "\r\x1b[K{}%: {} of {} files, {} records, {}/s{}", percent,
               human_count(p.files_done), human_count(p.files_total), human_count(p.records),
               human_bytes(p.bytes_per_second),
               p.seconds_left ? fmt::format(", {} left", duration_text(*p.seconds_left)) : "");
  }

 private:
  const base::Clock& clock_;
  bool shown_;
  bool open_ = false;
  base::TimePoint next_;
};

void write_classes(codec::json::Writer& w, const domain::Usage& usage) {
  w.member("input_uncached", usage.input_uncached).member("cache_read", usage.cache_read);
  w.member("cache_write", usage.cache_write()).member("output", usage.output);
  w.member("reasoning", usage.reasoning);
}

std::string named(std::string_view model) {
  return model.empty() ? "(none)" : std::string(model);
}

void write_models(codec::json::Writer& w, const RunSummary& summary) {
  // One entry per model name, whichever providers served it.
  std::map<std::string, Totals> models;
  for (const auto& [name, totals] : summary.models) {
    Totals& sum = models[named(name.model)];
    sum.records += totals.records;
    sum.usage.input_uncached += totals.usage.input_uncached;
    sum.usage.cache_read += totals.usage.cache_read;
    sum.usage.cache_write_5m += totals.usage.cache_write();
    sum.usage.output += totals.usage.output;
    sum.usage.reasoning += totals.usage.reasoning;
  }
  w.key("models").object();
  for (const auto& [name, totals] : models) {
    w.key(name).object();
    write_classes(w, totals.usage);
    w.member("records", totals.records).end_object();
  }
  w.end_object();
}

void write_time(codec::json::Writer& w, std::string_view key, std::int64_t unix_ns) {
  unix_ns == 0 ? w.member_null(key) : w.member(key, base::format_rfc3339(unix_ns));
}

void print_json(const RunSummary& summary, const Storing& storing, bool dry_run) {
  codec::json::Writer w;
  w.object().member("files", summary.files).member("files_read", summary.files_read);
  w.member("files_skipped", summary.files_skipped).member("records", summary.records);
  w.member("repeated", summary.repeated).member("costs", summary.costs);
  w.member("nested", summary.nested + summary.nested_costs);
  w.member("parts_may_count", summary.parts_may_count);
  w.member("billed_micro_usd", summary.billed_micro_usd);
  write_time(w, "first", summary.first_unix_ns);
  write_time(w, "last", summary.last_unix_ns);
  w.key("totals").object();
  write_classes(w, summary.total.usage);
  w.end_object();
  write_models(w, summary);
  w.key("formats").object();
  for (const auto& [format, records] : summary.formats) w.member(format, records);
  w.end_object();
  w.key("skipped").array();
  for (const importers::Skip& skip : summary.skips) {
    w.object().member("file", skip.file).member("line", skip.line).member("why", skip.why);
    w.end_object();
  }
  w.end_array().member("skipped_total", summary.skips_total);
  w.key("skipped_why").object();
  for (const auto& [why, count] : summary.skip_reasons) w.member(why, count);
  w.end_object();
  w.key("file_list").array();
  for (const FileReport& report : summary.reports) {
    w.object().member("path", report.file.path).member("format", report.format);
    w.member("records", report.records).member("costs", report.costs);
    w.member("skipped", report.skipped).end_object();
  }
  w.end_array();
  const ledger::AddResult& stored = storing.stored();
  w.key("archive").object().member("dry_run", dry_run).member("added", stored.added);
  w.member("replaced", stored.replaced).member("repeated", stored.repeated).end_object();
  w.end_object();
  fmt::print("{}\n", w.str());
}

std::string title_of(std::string_view format) {
  for (const importers::Format& known : importers::formats()) {
    if (known.name == format) return std::string(known.title);
  }
  return std::string(format);
}

void print_formats(const RunSummary& summary) {
  struct Row {
    std::uint64_t files = 0, records = 0, costs = 0, skipped = 0;
  };
  std::map<std::string, Row> rows;
  for (const FileReport& report : summary.reports) {
    if (report.format.empty()) continue;
    Row& row = rows[report.format];
    ++row.files;
    row.records += report.records;
    row.costs += report.costs;
    row.skipped += report.skipped;
  }
  std::vector<std::vector<std::string>> cells;
  for (const auto& [format, row] : rows) {
    cells.push_back({title_of(format), human_count(row.files), human_count(row.records),
                     human_count(row.costs), human_count(row.skipped)});
  }
  fmt::print(
      "{}\n",
      table({{"FORMAT"}, {"FILES", true}, {"READ", true}, {"COSTS", true}, {"SKIPPED", true}},
            cells));
}

std::vector<std::string> class_cells(std::string name, const Totals& totals) {
  const domain::Usage& u = totals.usage;
  return {std::move(name),           human_count(totals.records),  human_count(u.input_uncached),
          human_count(u.cache_read), human_count(u.cache_write()), human_count(u.output),
          human_count(u.reasoning)};
}

void print_models(const RunSummary& summary) {
  if (summary.records == 0) return;
  std::vector<std::vector<std::string>> cells;
  for (const auto& [name, totals] : summary.models) {
    cells.push_back(class_cells(named(name.model), totals));
  }
  cells.push_back(class_cells("total", summary.total));
  fmt::print("{}", table({{"MODEL"},
                          {"RECORDS", true},
                          {"INPUT", true},
                          {"CACHE READ", true},
                          {"CACHE WRITE", true},
                          {"OUTPUT", true},
                          {"REASONING", true}},
                         cells));
  fmt::print("{} to {}; the classes do not overlap, reasoning is a part of output.\n\n",
             base::format_date(summary.first_unix_ns), base::format_date(summary.last_unix_ns));
}

void print_skips(const RunSummary& summary, std::FILE* to) {
  if (summary.skips_total == 0) return;
  fmt::print(to, "Skipped:\n");
  std::size_t shown = 0;
  for (const importers::Skip& skip : summary.skips) {
    if (shown++ == kSkipsShown) break;
    const std::string line = skip.line == 0 ? "" : fmt::format(":{}", skip.line);
    fmt::print(to, "  {}{}: {}\n", skip.file, line, skip.why);
  }
  if (summary.skips_total <= kSkipsShown) return;
  fmt::print(to, "  and more, {} in all; by reason:\n", human_count(summary.skips_total));
  for (const auto& [why, count] : summary.skip_reasons) {
    fmt::print(to, "  {:>10}  {}\n", human_count(count), why);
  }
}

void print_summary(const RunSummary& summary, const Storing& storing, const UsageImportArgs& args) {
  if (summary.files_unchanged > 0 && summary.files_read == 0) {
    fmt::print("Nothing new: {} of {} files were imported before and have not changed since.\n",
               human_count(summary.files_unchanged), human_count(summary.files));
    fmt::print("--again reads them again.\n");
    print_skips(summary, stdout);
    return;
  }
  fmt::print("Read {} of {} files ({}", human_count(summary.files_read), human_count(summary.files),
             human_bytes(summary.bytes_read));
  if (summary.files_unchanged > 0) {
    fmt::print("; {} unchanged since their import", human_count(summary.files_unchanged));
  }
  fmt::print(").\n");
  if (!args.mapping.empty()) fmt::print("Every file was read as CSV, by {}.\n", args.mapping);
  fmt::print("\n");
  print_formats(summary);
  print_models(summary);
  if (summary.costs > 0) {
    fmt::print("Costs: {} lines, {} billed.\n", human_count(summary.costs),
               human_money(summary.billed_micro_usd));
  }
  const ledger::AddResult& stored = storing.stored();
  if (args.dry_run) {
    fmt::print("Nothing was stored: this was a dry run.\n");
  } else {
    fmt::print("Stored: {} new, {} in place of smaller readings, {} known before.\n",
               human_count(stored.added), human_count(stored.replaced),
               human_count(stored.repeated));
  }
  if (summary.repeated > 0) {
    fmt::print("{} readings repeat others of these files; each event counts once.\n",
               human_count(summary.repeated));
  }
  if (summary.nested + summary.nested_costs > 0) {
    fmt::print(
        "{} buckets are told by others, too, in longer or shorter ones or in another way: the side "
        "that tells more counts.\n",
        human_count(summary.nested + summary.nested_costs));
  }
  if (summary.parts_may_count) {
    fmt::print(
        "Buckets of the same names overlap in part, or two bills of one day differ: what both tell "
        "counts twice. Export them with the same borders, and one bill of each account.\n");
  }
  if (summary.repeats_may_count) {
    fmt::print(
        "There are more events than can be told apart at once: the totals above may count "
        "some twice. The archive does not.\n");
  }
  print_skips(summary, stdout);
}

// Nothing to import is an error: the path was a wrong one.
base::Status check_recognised(const RunSummary& summary) {
  if (summary.files_read + summary.files_unchanged > 0) return {};
  if (summary.files == 0) {
    return base::fail(base::Code::NotFound, "there is no file in what was named",
                      "name files, or folders that hold some");
  }
  if (summary.files == 1 && summary.skips.size() == 1 &&
      summary.skips[0].why != importers::kUnknownFormat) {
    return base::fail(base::Code::FailedPrecondition,
                      fmt::format("nothing was read of the file: {}", summary.skips[0].why));
  }
  return base::fail(base::Code::FailedPrecondition,
                    summary.files == 1
                        ? std::string("the file is in no usage format that is known")
                        : fmt::format("none of the {} files is in a usage format that is known",
                                      human_count(summary.files)),
                    "a CSV file of any kind can be read with --mapping; docs/formats has the list");
}

base::Status run(const UsageImportArgs& args, Storing& store, RunSummary& summary) {
  importers::Options options;
  if (!args.mapping.empty()) {
    FH_TRY(options.mapping_toml, base::os::read_file(args.mapping, kMappingBytesMax));
  }
  const base::SystemClock clock;
  ProgressLine line(clock);
  base::Status lookup;
  importers::RunHooks hooks;
  if (!args.dry_run) {
    hooks.usage = [&](domain::UsageRecord&& record) { store.usage(std::move(record)); };
    hooks.cost = [&](domain::CostRecord&& record) { store.cost(std::move(record)); };
  }
  hooks.checkpoint = [&] { return lookup ? store.checkpoint() : lookup; };
  hooks.done = [&](const FileReport& report) { return lookup ? store.done(report) : lookup; };
  hooks.progress = [&](const importers::Progress& progress) { line.update(progress); };
  hooks.unchanged = [&](const importers::FoundFile& file) {
    const base::Result<bool> known = store.begin(file);
    if (!known) lookup = std::unexpected(known.error());
    // Another mapping reads other things out of the same file.
    if (args.again || !args.mapping.empty()) store.store_known();
    return known.value_or(false) && !args.again && !args.json && args.mapping.empty();
  };
  importers::ImportRun run(std::move(options), std::move(hooks), clock);
  base::Status status = run.run(args.paths);
  // Also after an error: what was read is right.
  const base::Status flushed = store.flush();
  summary = run.summary();
  FH_TRY_VOID(std::move(status));
  return flushed;
}

}  // namespace

int run_usage_import(const Config& config, const UsageImportArgs& args) {
  std::unique_ptr<ledger::UsageArchive> archive;
  if (!args.dry_run) {
    auto opened = open_usage_archive(config);
    if (!opened) return print_error(opened.error(), args.json);
    archive = std::move(*opened);
  }
  Storing storing(archive.get());
  RunSummary summary;
  base::Status status = run(args, storing, summary);
  if (status) status = check_recognised(summary);
  if (!status) {
    if (!args.json) print_skips(summary, stderr);
    return print_error(status.error(), args.json);
  }
  if (args.json) {
    print_json(summary, storing, args.dry_run);
  } else {
    print_summary(summary, storing, args);
  }
  return kOk;
}

int run_usage_forget(const Config& config, const UsageForgetArgs& args) {
  const auto forget = [&]() -> base::Result<std::uint64_t> {
    std::string names;
    bool known = false;
    for (const importers::Format& format : importers::formats()) {
      known = known || format.name == args.format;
      names.append(names.empty() ? "" : ", ").append(format.name);
    }
    if (!known) {
      return base::fail(base::Code::NotFound, "there is no format " + args.format,
                        "there are " + names);
    }
    FH_TRY(const auto archive, open_usage_archive(config));
    return archive->remove_format(args.format);
  };
  const base::Result<std::uint64_t> removed = forget();
  if (!removed) return print_error(removed.error(), args.json);
  if (args.json) {
    codec::json::Writer w;
    w.object().member("format", args.format).member("removed", *removed).end_object();
    fmt::print("{}\n", w.str());
  } else {
    fmt::print("Forgot {} records of {}.\n", human_count(*removed), title_of(args.format));
  }
  return kOk;
}

}  // namespace fh::cli
