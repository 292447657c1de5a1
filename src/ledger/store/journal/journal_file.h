#pragma once
// The bytes under the intake journal: a file of fixed size that is written in place and synced on
// demand. What write() took survives the end of this process; what a later sync() covered survives
// a power cut. Without a sync a power cut may keep any part of what was written, in any order.
//
// Threads: any, for writes to different places.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::ledger {

class JournalFile {
 public:
  virtual ~JournalFile() = default;
  // What was asked for. What lies behind it, of a file that was longer before, can be read.
  virtual std::uint64_t size() const = 0;
  virtual base::Result<std::string> read(std::uint64_t offset, std::size_t size) = 0;
  virtual base::Status write(std::uint64_t offset, std::string_view bytes) = 0;
  virtual base::Status sync() = 0;
};

// Makes the file for this user alone unless it is there, and fills it with zeros up to `bytes`; a
// longer one keeps its length.
base::Result<std::unique_ptr<JournalFile>> open_journal_file(const std::string& path,
                                                             std::uint64_t bytes);

}  // namespace fh::ledger
