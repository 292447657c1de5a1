// See folders.h.

#include "importers/folders.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

namespace fh::importers {
namespace {

using base::Code;
using base::fail;
namespace fs = std::filesystem;

constexpr int kDepthMax = 64;

class Finder {
 public:
  using PassedOver = std::function<void(const std::string&, std::string)>;
  explicit Finder(const PassedOver& passed_over) : passed_over_(passed_over) {}

  base::Status named(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
      return std::unexpected(base::error_from_errno("cannot read " + path, errno));
    }
    return visit(path, info, 0);
  }
  std::vector<FoundFile> take() { return std::move(files_); }

 private:
  base::Status visit(const std::string& path, const struct stat& info, int depth) {
    if (S_ISDIR(info.st_mode)) return folder(path, info, depth);
    if (!S_ISREG(info.st_mode)) {
      passed_over_(path, S_ISLNK(info.st_mode) ? "a link: links in folders are not followed"
                                               : "not a file: a socket, a pipe or a device");
      return {};
    }
    if (!seen_.emplace(info.st_dev, info.st_ino).second) return {};
    if (files_.size() == kFilesMax) {
      return fail(Code::ResourceExhausted,
                  "more than " + std::to_string(kFilesMax) + " files to import",
                  "name the folders with usage alone");
    }
    files_.push_back({path, static_cast<std::uint64_t>(info.st_size),
                      info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec});
    return {};
  }

  base::Status folder(const std::string& path, const struct stat& info, int depth) {
    if (!seen_.emplace(info.st_dev, info.st_ino).second) return {};
    if (depth == kDepthMax) {
      passed_over_(path, "a folder nested too deep");
      return {};
    }
    std::error_code error;
    std::vector<std::string> names;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) passed_over_(path, "the folder cannot be read: " + error.message());
    std::ranges::sort(names);
    for (const std::string& name : names) {
      const std::string below = path.ends_with('/') ? path + name : path + '/' + name;
      struct stat entry{};
      if (::lstat(below.c_str(), &entry) != 0) {
        passed_over_(below, std::string("cannot be read: ") + std::strerror(errno));
        continue;
      }
      FH_TRY_VOID(visit(below, entry, depth + 1));
    }
    return {};
  }

  const PassedOver& passed_over_;
  std::vector<FoundFile> files_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

base::Result<std::vector<FoundFile>> find_files(
    const std::vector<std::string>& paths,
    const std::function<void(const std::string& path, std::string why)>& passed_over) {
  Finder finder(passed_over);
  for (const std::string& path : paths) FH_TRY_VOID(finder.named(path));
  return finder.take();
}

}  // namespace fh::importers
