// See journal_frames.h.

#include "ledger/store/journal/journal_frames.h"

#include <algorithm>
#include <array>

#include "codec/fast_hash.h"

namespace fh::ledger {
namespace {

constexpr std::uint64_t kHalfMagic = 0x31666c6861484655;  // "UFHahlf1"
constexpr std::uint64_t kMarkMagic = 0x316b72616d484655;  // "UFHmark1"
constexpr std::uint64_t kSizeMagic = 0x31657a6973484655;  // "UFHsize1"
constexpr std::size_t kMarkUsedBytes = 24;
// Of files that do not say it: the first releases knew no other.
constexpr std::uint64_t kFirstFileBytes = 16 * 1024 * 1024;

void put(std::uint64_t value, std::string& out) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::uint64_t get(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return value;
}

std::string marked(std::uint64_t magic, std::uint64_t value) {
  std::string bytes;
  put(magic, bytes);
  put(value, bytes);
  put(codec::fast_hash(bytes).low, bytes);
  return bytes;
}

// 0: it is not there, or not valid.
std::uint64_t parse_marked(std::string_view bytes, std::uint64_t magic) {
  if (bytes.size() < kMarkUsedBytes || get(bytes, 0) != magic) return 0;
  const std::string_view covered = bytes.substr(0, kMarkUsedBytes - 8);
  return get(bytes, covered.size()) == codec::fast_hash(covered).low ? get(bytes, 8) : 0;
}

std::optional<HalfHeader> parse_half_header(std::string_view half) {
  if (half.size() < kHalfHeaderBytes) return std::nullopt;
  const std::string_view covered = half.substr(0, kHalfHeaderBytes - 8);
  if (get(half, 0) != kHalfMagic || get(half, covered.size()) != codec::fast_hash(covered).low) {
    return std::nullopt;
  }
  return HalfHeader{get(half, 8), get(half, 16)};
}

// Appends the payloads of the valid frames to `records`; returns where they end.
std::uint64_t read_frames(std::string_view half, std::uint64_t epoch, std::string& records) {
  std::uint64_t at = kHalfHeaderBytes;
  while (half.size() - at >= kFrameHeaderBytes) {
    const std::uint64_t size = get(half, at + 24);
    if (get(half, at + 8) != epoch || get(half, at + 16) != at || size == 0 ||
        size > half.size() - at - kFrameHeaderBytes) {
      break;
    }
    const std::string_view covered = half.substr(at + 8, kFrameHeaderBytes - 8 + size);
    if (get(half, at) != codec::fast_hash(covered).low) break;
    records.append(half.substr(at + kFrameHeaderBytes, size));
    at += kFrameHeaderBytes + size;
  }
  return at;
}

}  // namespace

std::uint64_t half_bytes(std::uint64_t file_bytes) {
  return (file_bytes - kMarkBytes) / 2;
}

std::uint64_t half_offset(std::uint64_t half_bytes, std::size_t half) {
  return kMarkBytes + half * half_bytes;
}

std::string mark_bytes(std::uint64_t moved_epoch) {
  return marked(kMarkMagic, moved_epoch);
}

std::string size_record(std::uint64_t half_bytes) {
  return marked(kSizeMagic, half_bytes);
}

std::string half_header_bytes(const HalfHeader& header) {
  std::string bytes;
  put(kHalfMagic, bytes);
  put(header.epoch, bytes);
  put(header.previous_end, bytes);
  bytes.resize(kHalfHeaderBytes - 8, '\0');
  put(codec::fast_hash(bytes).low, bytes);
  return bytes;
}

void append_frame(std::uint64_t epoch, std::uint64_t offset, std::string_view payload,
                  std::string& out) {
  std::string frame;
  frame.reserve(kFrameHeaderBytes + payload.size());
  put(0, frame);
  put(epoch, frame);
  put(offset, frame);
  put(payload.size(), frame);
  frame.append(payload);
  std::string check;
  put(codec::fast_hash(std::string_view(frame).substr(8)).low, check);
  frame.replace(0, 8, check);
  out.append(frame);
}

base::Result<JournalContent> read_journal(JournalFile& file) {
  FH_TRY(const std::string mark, file.read(0, kMarkUsedBytes));
  const std::uint64_t moved =
      parse_marked(mark, kMarkMagic);  // 0: nothing is known to be elsewhere
  FH_TRY(const std::string size, file.read(kSizeOffset, kMarkUsedBytes));
  const std::uint64_t said = parse_marked(size, kSizeMagic);
  const std::uint64_t half = said != 0 ? said : half_bytes(kFirstFileBytes);
  std::array<std::string, 2> halves;
  std::array<std::optional<HalfHeader>, 2> headers;
  for (std::size_t i = 0; i < 2; ++i) {
    FH_TRY(halves.at(i), file.read(half_offset(half, i), half));
    headers.at(i) = parse_half_header(halves.at(i));
  }
  JournalContent content;
  content.newest_epoch = moved;
  if (!headers[0] && !headers[1]) return content;
  const std::uint64_t first = headers[0] ? headers[0]->epoch : 0;
  const std::uint64_t second = headers[1] ? headers[1]->epoch : 0;
  const std::size_t newest = first > second ? 0 : 1;
  const std::size_t oldest = 1 - newest;
  content.newest_epoch = std::max({first, second, moved});
  const HalfHeader& newer = *headers.at(newest);
  const std::optional<HalfHeader>& older = headers.at(oldest);
  if (older && older->epoch + 1 == newer.epoch && older->epoch > moved) {
    const std::uint64_t end = read_frames(halves.at(oldest), older->epoch, content.records);
    if (end != newer.previous_end) {
      content.tail_dropped = true;
      return content;
    }
  }
  if (newer.epoch > moved) read_frames(halves.at(newest), newer.epoch, content.records);
  return content;
}

}  // namespace fh::ledger
