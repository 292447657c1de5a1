#pragma once
// For tests: a sink that keeps everything, and reading a text through a format in pieces.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "importers/importer.h"

namespace fh::importers {

class Collect final : public Sink {
 public:
  void usage(domain::UsageRecord&& record) override { records.push_back(std::move(record)); }
  void cost(domain::CostRecord&& record) override { costs.push_back(std::move(record)); }
  void skip(std::uint64_t line, std::string why) override {
    skips.push_back({"", line, std::move(why)});
  }
  domain::Usage total() const {
    domain::Usage sum;
    for (const domain::UsageRecord& record : records) {
      sum.input_uncached += record.usage.input_uncached;
      sum.cache_read += record.usage.cache_read;
      sum.cache_write_5m += record.usage.cache_write_5m;
      sum.cache_write_1h += record.usage.cache_write_1h;
      sum.output += record.usage.output;
      sum.reasoning += record.usage.reasoning;
    }
    return sum;
  }
  // "3: the reason" of each skip.
  std::vector<std::string> reasons() const {
    std::vector<std::string> out;
    for (const Skip& skip : skips) out.push_back(std::to_string(skip.line) + ": " + skip.why);
    return out;
  }

  std::vector<domain::UsageRecord> records;
  std::vector<domain::CostRecord> costs;
  std::vector<Skip> skips;
};

inline Collect read_all(const Format& format, std::string_view text, std::size_t piece = 65'536,
                        const Options& options = {}) {
  Collect sink;
  auto importer = format.open({"file", text.substr(0, kHeadBytes)}, options);
  EXPECT_TRUE(importer.has_value()) << (importer ? "" : importer.error().text());
  if (!importer) return sink;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    (*importer)->feed(text.substr(at, piece), sink);
  }
  (*importer)->finish(sink);
  return sink;
}

inline int recognised(const Format& format, std::string_view text) {
  return format.recognise({"file", text.substr(0, kHeadBytes)});
}

// A file of tests/data/validation.
inline std::string validation_file(const std::string& path) {
  const std::string full = std::string(FH_SOURCE_DIR "/tests/data/validation/") + path;
  std::ifstream in(full, std::ios::binary);
  EXPECT_TRUE(in.good()) << full;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace fh::importers
