#pragma once
// The archive of imported usage: records from elsewhere, kept in their own SQLite file
// <data>/usage.db beside the ledger (they are evidence, not our own books). Importing the same
// event twice changes nothing: (format, source_id) is the identity, and of two readings the larger
// total stays (a source that repeats an event writes its last state last).
//
// What is larger: a reading of a main conversation than that of a side one; then more tokens in
// all; of a cost record the larger amount, credits by their magnitude. Between readings that are
// alike in that, the one that says more stays (output, searches, requests, a cost, a duration, then
// the other fields in order), so that the order of files never decides.
//
// Threads: one writer (single process, the file's lock says so), readers from anywhere, each with
// an object of its own; an object belongs to one thread at a time. The file:
// docs/formats/usage-archive.md.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/usage_record.h"

namespace fh::ledger {

// How far a file was read, so that an interrupted import goes on and an unchanged file is skipped.
struct ImportedFile {
  std::string path;
  std::string format;
  std::string sha256_head;       // of the first 64 KiB: a file that grew is still the same file
  std::uint64_t size_bytes = 0;  // when it was read to its end
  std::int64_t modified_unix_ns = 0;
  bool complete = false;
};

struct AddResult {
  std::uint64_t added = 0, replaced = 0, repeated = 0;
};

struct UsageFilter {
  std::int64_t from_unix_ns = 0;        // [from, to)
  std::int64_t to_unix_ns = 0;          // 0: no end
  std::string provider, model, format;  // empty: any
};

// The archive's name for an event, which scans give as `source_id` (the text itself is not kept):
// 32 hexadecimal digits, the first half of the SHA-256 of format, NUL, source id.
std::string archived_id(std::string_view format, std::string_view source_id);

class UsageArchive {
 public:
  // Makes the file (0600) and its schema if need be. `read_only`: NotFound when there is none.
  // FailedPrecondition: another process writes it, or a newer release or another program made it;
  // DataLoss: damaged.
  static base::Result<std::unique_ptr<UsageArchive>> open(const std::string& path,
                                                          bool read_only = false);
  virtual ~UsageArchive() = default;

  // One transaction each: after an error nothing of the call is there. Large calls (tens of
  // thousands of records) are the fast ones.
  virtual base::Result<AddResult> add(std::span<const domain::UsageRecord> records) = 0;
  virtual base::Result<AddResult> add_costs(std::span<const domain::CostRecord> records) = 0;
  virtual base::Result<std::optional<ImportedFile>> file(const std::string& path) = 0;
  virtual base::Status note_file(const ImportedFile& file) = 0;
  // State of a puller (opaque cursor by name), so that a pull goes on where it stopped.
  virtual base::Result<std::string> cursor(const std::string& name) = 0;
  virtual base::Status set_cursor(const std::string& name, const std::string& value) = 0;

  // In order of start time, those of one time in an order that does not depend on how they came;
  // `fn` false ends the walk. Bounded memory. The record lives until `fn` returns, which must not
  // call this object.
  virtual base::Status scan(const UsageFilter& filter,
                            const std::function<bool(const domain::UsageRecord&)>& fn) = 0;
  virtual base::Status scan_costs(const UsageFilter& filter,
                                  const std::function<bool(const domain::CostRecord&)>& fn) = 0;
  virtual base::Result<std::uint64_t> count() = 0;  // usage records
  // Forgets everything that a format brought (records, costs, what was noted of its files, cursors
  // named by it or by it and a '/'); the number of records and costs. For a user who imported the
  // wrong folder.
  virtual base::Result<std::uint64_t> remove_format(const std::string& format) = 0;
};

}  // namespace fh::ledger
