#pragma once
// A run of the importers over files and folders: finds the files, recognises each by its content,
// streams it through its importer, folds repeated events, and sums up. Records are handed on as
// they are read; a run keeps no more than the digests of what it has seen.
//
// An event counts once however many files hold it; of several readings the one with the larger
// token total counts (the archive keeps to the same rule between runs). gzip, zstd and UTF-16 are
// undone on the way. Threads: one object, one thread; every hook is called on it.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/usage_record.h"
#include "importers/folders.h"
#include "importers/importer.h"
#include "importers/totals.h"

namespace fh::importers {

struct ModelName {
  std::string provider, model;
  auto operator<=>(const ModelName&) const = default;
};

struct FileReport {
  FoundFile file;
  std::string format;          // empty: not recognised or not read
  std::string sha256_head;     // of the first 64 KiB as they lie on the disk
  std::uint64_t records = 0;   // usage records, with those that repeat others
  std::uint64_t repeated = 0;  // of these, known from before
  std::uint64_t costs = 0;     // cost records
  std::uint64_t skipped = 0;   // rows
  bool unchanged = false;      // not read: the hook said so
  bool complete = false;       // read to its end
};

struct RunSummary {
  std::uint64_t files = 0, files_read = 0, files_unchanged = 0, files_skipped = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t records = 0;   // distinct usage records: Totals::records
  std::uint64_t repeated = 0;  // readings of records that were known
  std::uint64_t replaced = 0;  // of these, larger than what was known
  std::uint64_t nested = 0;    // buckets that are part of others, in no sum here (nesting.h)
  std::uint64_t nested_costs = 0;
  std::uint64_t costs = 0;  // distinct cost records, those apart
  std::int64_t billed_micro_usd = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0;  // of usage records; 0: none
  Totals total;
  std::map<ModelName, Totals> models;            // at most kModelsMax, then {"", "(other models)"}
  std::map<std::string, std::uint64_t> formats;  // usage and cost records read, by format
  std::vector<FileReport> reports;               // of the first kReportsMax files
  std::vector<Skip> skips;                       // the first kSkipsMax
  std::uint64_t skips_total = 0;
  std::map<std::string, std::uint64_t> skip_reasons;  // at most kReasonsMax, then "other reasons"
  bool repeats_may_count = false;                     // more events than the run can remember
  bool parts_may_count = false;  // buckets that overlap others in part, or too many to tell
};

inline constexpr std::size_t kModelsMax = 10'000;
inline constexpr std::size_t kReportsMax = 10'000;
inline constexpr std::size_t kSkipsMax = 1'000;
inline constexpr std::size_t kReasonsMax = 200;

struct Progress {
  std::uint64_t files_done = 0, files_total = 0;
  std::uint64_t bytes_done = 0, bytes_total = 0;  // as on the disk
  std::uint64_t records = 0, skipped = 0;
  std::uint64_t bytes_per_second = 0;         // of what was really read
  std::optional<std::uint64_t> seconds_left;  // once there is a rate
  std::string_view path;                      // of the file at hand
};

// All may be empty.
struct RunHooks {
  // New events, and larger readings of known ones, in the order of reading.
  std::function<void(domain::UsageRecord&&)> usage;
  std::function<void(domain::CostRecord&&)> cost;
  // After every piece of at most a quarter MiB, of compressed files of their text: room to store
  // what has come. An error ends the run with it.
  std::function<base::Status()> checkpoint;
  // Whether the file was read before and need not be read again.
  std::function<bool(const FoundFile&)> unchanged;
  // After every file, also one that was not recognised; for noting that it is done. An error ends
  // the run with it.
  std::function<base::Status(const FileReport&)> done;
  std::function<void(const Progress&)> progress;
};

class ImportRun {
 public:
  // `clock` outlives the run.
  ImportRun(Options options, RunHooks hooks, const base::Clock& clock,
            std::span<const Format> table = formats());
  ~ImportRun();
  ImportRun(const ImportRun&) = delete;
  ImportRun& operator=(const ImportRun&) = delete;

  // Once. Error: a named path cannot be read, or a hook failed; `summary` then tells how far it
  // got. A file that cannot be read is not an error but a skip.
  base::Status run(const std::vector<std::string>& paths);
  const RunSummary& summary() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The importer that `head` and `path` call for: its index in `table`, or nullopt.
std::optional<std::size_t> recognise(std::span<const Format> table, const FileHint& hint);

}  // namespace fh::importers
