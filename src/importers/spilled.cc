// A block is two bytes that say how much of it is used, then entries: key, length, payload. No
// entry lies in two blocks.

#include "importers/spilled.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace fh::importers {
namespace {

constexpr std::size_t kHeadBytes = 2;       // of a block
constexpr std::size_t kEntryHeadBytes = 9;  // key and length
constexpr std::size_t kWriteBytes = std::size_t{1} << 18;
constexpr std::size_t kKeysOfFilterBlock = 51;  // 10 bits each: one in a hundred is let through

std::uint64_t word_at(const std::uint8_t* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Six bits for each of eight words.
std::uint64_t filter_bits(std::uint64_t key) {
  return (key * 0xd1b54a32d192ed03ULL) >> 16;
}

base::os::Fd file_in(const std::string& folder) {
  base::os::Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600));
  if (file) return file;
  // Some file systems have no files without names.
  std::string path = folder + "/freehold-XXXXXX";
  file = base::os::Fd(::mkostemp(path.data(), O_CLOEXEC));
  if (file) ::unlink(path.c_str());
  return file;
}

// Whole or not at all; a signal in between is no error.
template <typename Call>  // ssize_t(std::size_t done)
bool all_of(std::size_t size, Call&& call) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = call(done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

const std::uint64_t* SpilledEntries::Run::filter_of(std::uint64_t key) const {
  const auto place =
      static_cast<unsigned __int128>(key * 0x9e3779b97f4a7c15ULL) * filter_blocks >> 64;
  return filter.as<std::uint64_t>().data() + static_cast<std::size_t>(place) * kFilterWords;
}

void SpilledEntries::Run::add(std::uint64_t key) {
  std::uint64_t* const words =
      filter.as<std::uint64_t>().data() + (filter_of(key) - filter.as<std::uint64_t>().data());
  std::uint64_t bits = filter_bits(key);
  for (std::size_t i = 0; i < kFilterWords; ++i, bits >>= 6) {
    words[i] |= std::uint64_t{1} << (bits & 63);
  }
}

bool SpilledEntries::Run::may_have(std::uint64_t key) const {
  const std::uint64_t* const words = filter_of(key);
  std::uint64_t bits = filter_bits(key), missing = 0;
  for (std::size_t i = 0; i < kFilterWords; ++i, bits >>= 6) {
    missing |= ~words[i] & (std::uint64_t{1} << (bits & 63));
  }
  return missing == 0;
}

bool SpilledEntries::open() {
  if (file_) return true;
  const char* const wanted = ::getenv("TMPDIR");
  for (const char* const folder : {wanted, "/var/tmp", "/tmp"}) {
    if (folder == nullptr || *folder == '\0') continue;
    file_ = file_in(folder);
    if (file_) return true;
  }
  return false;
}

bool SpilledEntries::begin(std::size_t entries) {
  if (!open()) return false;
  writing_ = {};
  writing_.filter_blocks = entries / kKeysOfFilterBlock + 1;
  writing_.filter = base::os::Pages(writing_.filter_blocks * kFilterWords * sizeof(std::uint64_t));
  writing_.offset = file_bytes_;
  written_ = 0;
  broken_ = false;
  out_.clear();
  out_.reserve(kWriteBytes);
  block_at_ = 0;
  return true;
}

void SpilledEntries::close_block() {
  if (out_.size() == block_at_) return;
  const auto used = static_cast<std::uint16_t>(out_.size() - block_at_);
  std::memcpy(out_.data() + block_at_, &used, sizeof used);
  block_at_ += kBlockBytes;
  out_.resize(block_at_);
  if (out_.size() >= kWriteBytes && !write_out()) broken_ = true;
}

void SpilledEntries::put(std::uint64_t key, Payload payload) {
  if (broken_) return;
  const std::size_t bytes = kEntryHeadBytes + payload.size();
  if (out_.size() - block_at_ + bytes > kBlockBytes) close_block();
  if (out_.size() == block_at_) {
    out_.resize(block_at_ + kHeadBytes);
    writing_.first.push_back(key);
  }
  const std::size_t at = out_.size();
  out_.resize(at + bytes);
  std::uint8_t* const to = out_.data() + at;
  std::memcpy(to, &key, sizeof key);
  to[sizeof key] = static_cast<std::uint8_t>(payload.size());
  std::memcpy(to + kEntryHeadBytes, payload.data(), payload.size());
  writing_.add(key);
  ++written_;
}

bool SpilledEntries::write_out() {
  const bool whole = all_of(out_.size(), [&](std::size_t done) {
    return ::pwrite(file_.get(), out_.data() + done, out_.size() - done,
                    static_cast<off_t>(file_bytes_ + done));
  });
  if (whole) file_bytes_ += out_.size();
  out_.clear();
  block_at_ = 0;
  return whole;
}

bool SpilledEntries::end() {
  close_block();
  const bool whole = !broken_ && (out_.empty() || write_out());
  if (whole) {
    size_ += written_;
    runs_.push_back(std::move(writing_));
  } else {
    file_bytes_ = writing_.offset;
  }
  writing_ = {};
  out_ = {};
  block_at_ = 0;
  return whole;
}

bool SpilledEntries::load(std::uint64_t offset) {
  if (block_offset_ == offset) return true;
  const bool whole = all_of(block_.size(), [&](std::size_t done) {
    return ::pread(file_.get(), block_.data() + done, block_.size() - done,
                   static_cast<off_t>(offset + done));
  });
  damaged_ = damaged_ || !whole;
  block_offset_ = whole ? std::optional(offset) : std::nullopt;
  return whole;
}

std::optional<SpilledEntries::Payload> SpilledEntries::find(std::uint64_t key) {
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (!run->may_have(key)) continue;
    const auto behind = std::ranges::upper_bound(run->first, key);
    if (behind == run->first.begin()) continue;
    const auto block = static_cast<std::uint64_t>(behind - run->first.begin() - 1);
    if (!load(run->offset + block * kBlockBytes)) continue;
    std::uint16_t used = 0;
    std::memcpy(&used, block_.data(), sizeof used);
    const std::size_t end = std::min<std::size_t>(used, kBlockBytes);
    for (std::size_t at = kHeadBytes; at + kEntryHeadBytes <= end;) {
      const std::size_t size = block_[at + sizeof key];
      if (at + kEntryHeadBytes + size > end) break;
      if (word_at(block_.data() + at) == key) {
        return Payload(block_.data() + at + kEntryHeadBytes, size);
      }
      at += kEntryHeadBytes + size;
    }
  }
  return std::nullopt;
}

}  // namespace fh::importers
