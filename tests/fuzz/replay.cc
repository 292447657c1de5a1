// Runs a fuzz target over every file of a folder: how the corpus is a normal test in builds without
// libFuzzer. A missing or empty folder is a failure, so that a corpus that was moved does not pass
// silently.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

// The regular files of `folder` in a fixed order; hidden files do not count.
std::vector<fs::path> files_of(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    const bool hidden = it->path().filename().string().starts_with('.');
    if (!hidden && it->is_regular_file(ignored)) files.push_back(it->path());
  }
  std::ranges::sort(files);
  return files;
}

bool replay(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  // Printed before the run: after a crash, the last line names the culprit.
  std::printf("%s (%zu bytes)\n", path.c_str(), bytes.size());
  std::fflush(stdout);
  // An exact copy on the heap, so that AddressSanitizer sees a read past the end.
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s <corpus folder>\n", argv[0]);
    return 2;
  }
  std::error_code error;
  const std::vector<fs::path> files = files_of(argv[1], error);
  if (error) {
    std::fprintf(stderr, "cannot list %s: %s\n", argv[1], error.message().c_str());
    return 1;
  }
  if (files.empty()) {
    std::fprintf(stderr, "no files in %s\n", argv[1]);
    return 1;
  }
  const auto failed =
      std::ranges::count_if(files, [](const fs::path& path) { return !replay(path); });
  std::printf("%zu files replayed\n", files.size());
  return failed == 0 ? 0 : 1;
}
