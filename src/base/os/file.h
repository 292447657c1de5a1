#pragma once
// Files: whole reads under a bound, writes that are either the old or the new content whatever
// happens, and the folders where a user's data and configuration live (XDG Base Directory
// Specification).

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::base::os {

// A file longer than `bytes_max` is an OutOfRange error, not a short read.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

// Writes a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder:
// after a crash the file holds the old or the new bytes, whole. `mode` is exact (the umask does not
// apply). AlreadyExists where something is that is no file: a folder, a device, a pipe.
Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                             mode_t mode);

// Makes the folder and its missing parents with `mode`; a folder that is there already keeps its
// own.
Status make_folders(const std::filesystem::path& path, mode_t mode);

// Bytes an unprivileged process may still write on the file system of `path`.
Result<std::uint64_t> free_disk_bytes(const std::filesystem::path& path);

// $XDG_DATA_HOME/freehold or ~/.local/share/freehold; likewise $XDG_CONFIG_HOME and ~/.config.
// FailedPrecondition when neither the variable nor a home folder is known. Makes nothing.
Result<std::filesystem::path> user_data_dir();
Result<std::filesystem::path> user_config_dir();

}  // namespace fh::base::os
