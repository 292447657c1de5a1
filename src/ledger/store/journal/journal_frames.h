#pragma once
// How the intake journal lies in its file: a page with a mark, then two halves of equal size, used
// in turn. A half begins with a header (its epoch, and where the half before it ended), then
// frames, one per transaction, up to the first that is not valid. Checksums cover epoch and place,
// so that what an earlier round left behind is never taken for part of this one. The mark says up
// to which epoch everything is durable elsewhere; it is on the disk before such a half is written
// anew, when what is left of the old one would look like a half that lost its end. The size of a
// half stands in the file too: a release that wants another one reads what is there by its own
// size, and lays the file out anew only when all of it is durable elsewhere. Format:
// docs/formats/ledger.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ledger/store/journal/journal_file.h"

namespace fh::ledger {

inline constexpr std::uint64_t kMarkBytes = 4096;
inline constexpr std::uint64_t kHalfHeaderBytes = 64;
inline constexpr std::uint64_t kFrameHeaderBytes = 32;

struct HalfHeader {
  std::uint64_t epoch = 0;         // 1, 2, ...; the next half has the next number
  std::uint64_t previous_end = 0;  // offset in the other half where its frames ended; 0: no matter
  bool operator==(const HalfHeader&) const = default;
};

// Size of the halves of a file of this size, and where half 0 or 1 of this size begins.
std::uint64_t half_bytes(std::uint64_t file_bytes);
std::uint64_t half_offset(std::uint64_t half_bytes, std::size_t half);

// For the beginning of the file.
std::string mark_bytes(std::uint64_t moved_epoch);
// For the place kSizeOffset.
inline constexpr std::uint64_t kSizeOffset = 512;
std::string size_record(std::uint64_t half_bytes);
std::string half_header_bytes(const HalfHeader& header);
// `offset`: of the frame in its half.
void append_frame(std::uint64_t epoch, std::uint64_t offset, std::string_view payload,
                  std::string& out);

// What a start finds, oldest first.
struct JournalContent {
  std::string records;             // the payloads of all frames that count, put together
  std::uint64_t newest_epoch = 0;  // 0: the journal was never used
  bool tail_dropped = false;  // a newer half did not join on to the older: a power cut took the end
};
base::Result<JournalContent> read_journal(JournalFile& file);

}  // namespace fh::ledger
