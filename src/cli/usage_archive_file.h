#pragma once
// Where the archive of imported usage lies, and opening it for writing.

#include <filesystem>
#include <memory>

#include "base/os/file.h"
#include "base/result.h"
#include "cli/config.h"
#include "ledger/imports.h"

namespace fh::cli {

inline std::filesystem::path usage_archive_file(const Config& config) {
  return config.data_dir / "usage.db";
}

// Makes the data folder, too, if need be.
inline base::Result<std::unique_ptr<ledger::UsageArchive>> open_usage_archive(
    const Config& config) {
  FH_TRY_VOID(base::os::make_folders(config.data_dir, 0700));
  return ledger::UsageArchive::open(usage_archive_file(config).string());
}

}  // namespace fh::cli
