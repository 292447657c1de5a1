#pragma once
// A JournalFile in memory with the two states of a real one, and power cuts that keep any sector or
// none of what was not synced. For tests and the simulation. Any thread (one mutex).

#include <mutex>
#include <string>

#include "base/random.h"
#include "ledger/store/journal/journal_file.h"

namespace fh::ledger {

class MemoryJournalFile final : public JournalFile {
 public:
  explicit MemoryJournalFile(std::uint64_t bytes)
      : bytes_(bytes), written_(bytes, '\0'), durable_(written_) {}

  std::uint64_t size() const override { return bytes_; }
  base::Result<std::string> read(std::uint64_t offset, std::size_t size) override;
  base::Status write(std::uint64_t offset, std::string_view bytes) override;
  base::Status sync() override;

  // What open_journal_file does to a file that is there already.
  void open_again(std::uint64_t bytes);
  // The nth write or sync from now on fails, and all after it, until heal() stands for a restart.
  // A failing write leaves a part of its bytes.
  void fail_write(std::uint64_t nth);
  void fail_sync(std::uint64_t nth);
  void heal();
  bool broken() const;
  // Of the sectors that differ from what was synced, each is kept or lost at random.
  void crash_power(base::Random& random);
  bool all_synced() const;

 private:
  bool counts_down(std::uint64_t& countdown);

  mutable std::mutex mutex_;
  std::uint64_t bytes_;
  std::string written_, durable_;
  std::uint64_t write_countdown_ = 0, sync_countdown_ = 0;
  bool broken_ = false;
};

}  // namespace fh::ledger
