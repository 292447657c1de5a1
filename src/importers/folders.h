#pragma once
// The files of an import: paths that were named, and what lies under folders, in one fixed order.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fh::importers {

struct FoundFile {
  std::string path;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_unix_ns = 0;
};

inline constexpr std::size_t kFilesMax = 2'000'000;

// Folders are walked in the order of names. A path that is named may be a link; links below a
// folder are not followed, so that an import never leaves the folder. Each file is found once, by
// whichever of several names comes first. `passed_over(path, why)` is called for links, special
// files and folders that cannot be read. Error: NotFound or another code for a named path;
// ResourceExhausted above kFilesMax files.
base::Result<std::vector<FoundFile>> find_files(
    const std::vector<std::string>& paths,
    const std::function<void(const std::string& path, std::string why)>& passed_over);

}  // namespace fh::importers
