// See journal_file.h.

#include "ledger/store/journal/journal_file.h"

#include <utility>

#include "ledger/store/synced_file.h"

namespace fh::ledger {
namespace {

class DiskFile final : public JournalFile {
 public:
  DiskFile(SyncedFile file, std::uint64_t bytes) : file_(std::move(file)), bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_; }
  base::Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    return file_.read(offset, size);
  }
  base::Status write(std::uint64_t offset, std::string_view bytes) override {
    return file_.write(offset, bytes);
  }
  base::Status sync() override { return file_.sync(); }

 private:
  SyncedFile file_;
  std::uint64_t bytes_;
};

}  // namespace

base::Result<std::unique_ptr<JournalFile>> open_journal_file(const std::string& path,
                                                             std::uint64_t bytes) {
  FH_TRY_VOID(create_private(path));
  FH_TRY(SyncedFile file, SyncedFile::open(path, "the ledger's journal"));
  FH_TRY_VOID(file.presize(bytes));
  return std::make_unique<DiskFile>(std::move(file), bytes);
}

}  // namespace fh::ledger
