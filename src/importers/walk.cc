// See walk.h. Files are read with plain reads: a mapped file that shrinks would end the process.
// They are opened without waiting, should a pipe have taken a file's place.

#include "importers/walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/os/fd.h"
#include "codec/stream_decoder.h"
#include "codec/utf16.h"
#include "crypto/sha256.h"
#include "importers/names.h"
#include "importers/tally.h"
#include "importers/unknown.h"

namespace fh::importers {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

// One file's records on their way into the run.
class FileSink final : public Sink {
 public:
  FileSink(Tally& tally, const RunHooks& hooks, FileReport& report)
      : tally_(tally), hooks_(hooks), report_(report) {}

  void usage(domain::UsageRecord&& record) override { take(record, tally_.expect(record), {}); }
  void cost(domain::CostRecord&& record) override { take(record, tally_.expect(record), {}); }
  void rows(std::span<RowRecords> rows) override {
    constexpr std::size_t kAtOnce = 16;
    std::array<TallyKey, kAtOnce> usage, cost;
    while (!rows.empty()) {
      const std::span<RowRecords> some = rows.first(std::min(rows.size(), kAtOnce));
      for (std::size_t i = 0; i < some.size(); ++i) {
        if (some[i].has_usage) usage[i] = tally_.expect(some[i].usage, some[i].key);
        if (some[i].has_cost) cost[i] = tally_.expect(some[i].cost, some[i].key);
      }
      for (std::size_t i = 0; i < some.size(); ++i) {
        if (some[i].has_usage) take(some[i].usage, usage[i], some[i].key);
        if (some[i].has_cost) take(some[i].cost, cost[i], some[i].key);
      }
      rows = rows.subspan(some.size());
    }
  }
  void skip(std::uint64_t line, std::string why) override {
    ++report_.skipped;
    tally_.skip(report_.file.path, line, std::move(why));
  }

 private:
  // The text of a row's identity is made for those alone that are handed on.
  void take(domain::UsageRecord& record, const TallyKey& key, const RowKey& row) {
    bool repeated = false;
    const bool counts = tally_.usage(record, key, repeated);
    ++report_.records;
    if (repeated) ++report_.repeated;
    if (!counts || !hooks_.usage) return;
    if (row.which != 0) row.to(record.source_id);
    hooks_.usage(std::move(record));
  }
  void take(domain::CostRecord& record, const TallyKey& key, const RowKey& row) {
    bool repeated = false;
    const bool counts = tally_.cost(record, key, repeated);
    ++report_.costs;
    if (!counts || !hooks_.cost) return;
    if (row.which != 0) row.to(record.source_id);
    hooks_.cost(std::move(record));
  }

  Tally& tally_;
  const RunHooks& hooks_;
  FileReport& report_;
};

std::optional<std::size_t> reads_mappings(std::span<const Format> table) {
  const auto at = std::ranges::find_if(table, &Format::by_mapping);
  if (at == table.end()) return std::nullopt;
  return static_cast<std::size_t>(at - table.begin());
}

// A byte order mark says nothing in UTF-8.
std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

// Decoded bytes of one file: the head is collected first, then the importer it calls for is fed.
class FileFeed {
 public:
  FileFeed(std::span<const Format> table, const Options& options, FileReport& report, Sink& sink)
      : table_(table), options_(options), report_(report), sink_(sink) {}

  // False: nothing more is wanted, the file is of no known format.
  bool push(std::string_view bytes) {
    if (fresh_) {
      fresh_ = false;
      utf16_ = codec::Utf16Stream::of(bytes);
    }
    if (!utf16_) return take(bytes);
    text_.clear();
    utf16_->push(bytes, text_);
    return take(text_);
  }

  void finish() {
    if (utf16_) {
      text_.clear();
      utf16_->finish(text_);
      take(text_);
    }
    if (!importer_ && !given_up_) {
      const std::string head = std::exchange(head_, {});
      if (head.empty()) {
        give_up("the file is empty");
      } else {
        begin(head);
      }
    }
    if (importer_) importer_->finish(sink_);
  }
  // The rest of the file cannot be read: what is held is given out.
  void abandon(std::string why) {
    if (!importer_ && !given_up_ && !head_.empty()) {
      const std::string head = std::exchange(head_, {});
      const FileHint hint = hint_of(without_mark(head));
      if (!options_.mapping_toml.empty() || importers::recognise(table_, hint)) begin(head);
    }
    if (importer_) {
      // A last line that is cut off may end in a number that is: it is made one that no format
      // takes.
      if (last_ != '\n') importer_->feed(std::string_view("\0", 1), sink_);
      importer_->finish(sink_);
    }
    importer_.reset();
    give_up(std::move(why));
  }
  bool recognised() const { return !report_.format.empty(); }

 private:
  bool take(std::string_view bytes) {
    if (given_up_) return false;
    if (!bytes.empty()) last_ = bytes.back();
    if (importer_) {
      importer_->feed(old_lines_ ? with_new_lines(bytes) : bytes, sink_);
      return true;
    }
    if (head_.empty() && bytes.size() >= kHeadBytes) return begin(bytes);
    head_.append(bytes);
    if (head_.size() < kHeadBytes) return true;
    const std::string head = std::exchange(head_, {});
    return begin(head);
  }

  // Lines that end in CR alone, as old programs write them.
  std::string_view with_new_lines(std::string_view bytes) {
    lines_.assign(bytes);
    std::ranges::replace(lines_, '\r', '\n');
    return lines_;
  }

  FileHint hint_of(std::string_view bytes) const {
    return {report_.file.path, bytes.substr(0, kHeadBytes), report_.file.modified_unix_ns};
  }

  bool begin(std::string_view bytes) {
    bytes = without_mark(bytes);
    const std::string_view first = bytes.substr(0, kHeadBytes);
    old_lines_ = !contains(first, "\n") && contains(first, "\r");
    if (old_lines_) bytes = with_new_lines(bytes);
    const FileHint hint = hint_of(bytes);
    const bool mapped = !options_.mapping_toml.empty();
    const std::optional<std::size_t> index =
        mapped ? reads_mappings(table_) : importers::recognise(table_, hint);
    if (!index) return give_up(std::string(why_unknown(hint.head)));
    auto opened = table_[*index].open(hint, options_);
    if (!opened) return give_up(opened.error().text());
    report_.format = table_[*index].name;
    importer_ = std::move(*opened);
    importer_->feed(bytes, sink_);
    return true;
  }
  bool give_up(std::string why) {
    given_up_ = true;
    sink_.skip(0, std::move(why));
    return false;
  }

  std::span<const Format> table_;
  const Options& options_;
  FileReport& report_;
  Sink& sink_;
  std::unique_ptr<Importer> importer_;
  std::string head_;
  bool given_up_ = false;
  bool fresh_ = true;
  std::optional<codec::Utf16Stream> utf16_;
  std::string text_;  // out of it
  char last_ = '\n';
  bool old_lines_ = false;
  std::string lines_;
};

// The file, or why it cannot be read.
std::expected<base::os::Fd, std::string> open_file(const std::string& path) {
  base::os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return std::unexpected(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::unexpected(std::string("is no longer a file"));
  }
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return fd;
}

}  // namespace

std::optional<std::size_t> recognise(std::span<const Format> table, const FileHint& hint) {
  std::optional<std::size_t> best;
  int best_score = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const int score = table[i].recognise(hint);
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

struct ImportRun::Impl {
  Impl(Options the_options, RunHooks the_hooks, const base::Clock& the_clock,
       std::span<const Format> the_table)
      : options(std::move(the_options)),
        hooks(std::move(the_hooks)),
        clock(the_clock),
        table(the_table) {}

  Options options;
  RunHooks hooks;
  const base::Clock& clock;
  std::span<const Format> table;
  RunSummary summary;
  Tally tally{summary};
  Progress progress;
  base::TimePoint began;
  std::string buffer = std::string(kPieceBytes, '\0');

  base::Status run(const std::vector<std::string>& paths);
  base::Status run_file(const FoundFile& file);
  base::Status read(FileReport& report, Sink& sink);
  base::Status after_piece(std::size_t bytes);
  void report_progress();
};

void ImportRun::Impl::report_progress() {
  if (!hooks.progress) return;
  progress.records = summary.records + summary.costs;
  progress.skipped = summary.skips_total;
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - began).count();
  if (ms > 0 && summary.bytes_read > 0) {
    progress.bytes_per_second = static_cast<std::uint64_t>(static_cast<double>(summary.bytes_read) *
                                                           1000.0 / static_cast<double>(ms));
    if (progress.bytes_per_second > 0 && progress.bytes_total >= progress.bytes_done) {
      progress.seconds_left =
          (progress.bytes_total - progress.bytes_done) / progress.bytes_per_second;
    }
  }
  hooks.progress(progress);
}

base::Status ImportRun::Impl::after_piece(std::size_t bytes) {
  summary.bytes_read += bytes;
  progress.bytes_done += bytes;
  // A file that grows while it is read: the goal moves with it.
  progress.bytes_total = std::max(progress.bytes_total, progress.bytes_done);
  report_progress();
  return hooks.checkpoint ? hooks.checkpoint() : base::Status{};
}

// Reads the file to its end. Errors are those of hooks; what is wrong with the file is a skip.
base::Status ImportRun::Impl::read(FileReport& report, Sink& sink) {
  auto fd = open_file(report.file.path);
  if (!fd) {
    sink.skip(0, std::move(fd.error()));
    return {};
  }
  FileFeed feed(table, options, report, sink);
  std::unique_ptr<codec::StreamDecoder> decoder;  // nullptr: the file is plain text
  for (bool first = true;; first = false) {
    const auto got = base::os::read_full(
        fd->get(), std::as_writable_bytes(std::span(buffer.data(), buffer.size())));
    if (!got) {
      feed.abandon(got.error().message);
      return {};
    }
    const std::string_view bytes(buffer.data(), *got);
    if (first) {
      report.sha256_head = crypto::to_hex(crypto::sha256(bytes.substr(0, kHeadBytes)));
      decoder = codec::decoder_for(bytes);
    }
    bool wanted = true;
    base::Status decoded, stored;
    // A piece that was compressed well is many pieces of text: each is stored before the next.
    const auto take = [&](std::string_view text) {
      wanted = feed.push(text);
      if (decoder && hooks.checkpoint) stored = hooks.checkpoint();
      return wanted && stored;
    };
    if (!decoder) {
      if (!bytes.empty()) take(bytes);
    } else {
      decoded = bytes.empty() ? decoder->finish() : decoder->push(bytes, take);
    }
    FH_TRY_VOID(std::move(stored));
    FH_TRY_VOID(after_piece(bytes.size()));
    if (!wanted) return {};
    if (!decoded) {
      feed.abandon(decoded.error().message);
      return {};
    }
    if (bytes.empty()) break;
  }
  feed.finish();
  report.complete = feed.recognised();
  return {};
}

base::Status ImportRun::Impl::run_file(const FoundFile& file) {
  FileReport report;
  report.file = file;
  progress.path = file.path;
  const std::uint64_t bytes_before = progress.bytes_done;
  if (hooks.unchanged && hooks.unchanged(file)) {
    report.unchanged = true;
    ++summary.files_unchanged;
  } else {
    FileSink sink(tally, hooks, report);
    tally.begin_file(progress.files_done + 1 == progress.files_total);
    FH_TRY_VOID(read(report, sink));
    if (const std::string_view why = tally.end_file(report.format); !why.empty()) {
      sink.skip(0, std::string(why));
    }
    ++(report.format.empty() ? summary.files_skipped : summary.files_read);
  }
  ++progress.files_done;
  progress.bytes_done = std::max(progress.bytes_done, bytes_before + file.size_bytes);
  progress.bytes_total = std::max(progress.bytes_total, progress.bytes_done);
  report_progress();
  if (hooks.done) FH_TRY_VOID(hooks.done(report));
  if (summary.reports.size() < kReportsMax) summary.reports.push_back(std::move(report));
  return {};
}

base::Status ImportRun::Impl::run(const std::vector<std::string>& paths) {
  began = clock.now();
  FH_TRY(const std::vector<FoundFile> files,
         find_files(paths, [this](const std::string& path, std::string why) {
           tally.skip(path, 0, std::move(why));
         }));
  summary.files = progress.files_total = files.size();
  for (const FoundFile& file : files) progress.bytes_total += file.size_bytes;
  base::Status status;
  for (const FoundFile& file : files) {
    status = run_file(file);
    if (!status) break;
  }
  tally.settle();
  return status;
}

ImportRun::ImportRun(Options options, RunHooks hooks, const base::Clock& clock,
                     std::span<const Format> table)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(hooks), clock, table)) {}
ImportRun::~ImportRun() = default;

base::Status ImportRun::run(const std::vector<std::string>& paths) {
  return impl_->run(paths);
}
const RunSummary& ImportRun::summary() const {
  return impl_->summary;
}

}  // namespace fh::importers
