#pragma once
// For the tests of importers: a sink that keeps everything, and ways to read a text with one format
// in pieces of any size.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "importers/importer.h"
#include "importers/walk.h"

namespace fh::importers::test {

struct KeptSkip {
  std::uint64_t line = 0;
  std::string why;
  bool operator==(const KeptSkip&) const = default;
};

class KeepingSink final : public Sink {
 public:
  void usage(domain::UsageRecord&& record) override { records.push_back(std::move(record)); }
  void cost(domain::CostRecord&& record) override { costs.push_back(std::move(record)); }
  void skip(std::uint64_t line, std::string why) override { skips.push_back({line, why}); }

  domain::Usage sum() const {
    domain::Usage sum;
    for (const domain::UsageRecord& record : records) {
      sum.input_uncached += record.usage.input_uncached;
      sum.cache_read += record.usage.cache_read;
      sum.cache_write_5m += record.usage.cache_write_5m;
      sum.cache_write_30m += record.usage.cache_write_30m;
      sum.cache_write_1h += record.usage.cache_write_1h;
      sum.output += record.usage.output;
      sum.reasoning += record.usage.reasoning;
    }
    return sum;
  }

  std::vector<domain::UsageRecord> records;
  std::vector<domain::CostRecord> costs;
  std::vector<KeptSkip> skips;
};

// Reads `text` with `format` in pieces of `piece_bytes`; 0: in one piece.
inline KeepingSink read_with(const Format& format, std::string_view text,
                             std::size_t piece_bytes = 0, std::string_view path = "x") {
  KeepingSink sink;
  auto importer = format.open({path, text.substr(0, kHeadBytes)}, {});
  EXPECT_TRUE(importer.has_value());
  if (!importer) return sink;
  if (piece_bytes == 0) piece_bytes = text.size() + 1;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    // A copy of exact size on the heap, so that a sanitizer sees a read past the end.
    const std::string piece(text.substr(at, piece_bytes));
    (*importer)->feed(piece, sink);
  }
  (*importer)->finish(sink);
  return sink;
}

// The name of the format that is chosen for `text`; empty: none.
inline std::string format_of(std::string_view text, std::string_view path = "x") {
  const auto index = recognise(formats(), {path, text.substr(0, kHeadBytes)});
  return index ? std::string(formats()[*index].name) : std::string();
}

inline std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string validation_path(std::string_view name) {
  return std::string(FH_SOURCE_DIR "/tests/data/validation/") + std::string(name);
}

}  // namespace fh::importers::test
