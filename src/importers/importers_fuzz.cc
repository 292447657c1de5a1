// Fuzz target of the importers: any bytes through every format, in pieces cut by the bytes
// themselves. Whatever comes in, a format gives the same records and skips however the file is cut,
// its records are valid and bounded, and its reasons are plain text. The chosen format is the same
// for equal heads.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/utf8.h"
#include "importers/importer.h"
#include "importers/names.h"
#include "importers/walk.h"

namespace {

using fh::importers::FileHint;
using fh::importers::Format;
using fh::importers::kCountMax;
using fh::importers::kNameBytesMax;

void check_name(const std::string& name) {
  FH_CHECK(name.size() <= 2 * kNameBytesMax);
  FH_CHECK(fh::codec::utf8::valid(name));
}

class CheckingSink final : public fh::importers::Sink {
 public:
  void usage(fh::domain::UsageRecord&& record) override {
    const fh::domain::Usage& usage = record.usage;
    FH_CHECK(usage.valid());
    for (const std::uint64_t count : {usage.input_uncached, usage.cache_read, usage.cache_write_5m,
                                      usage.cache_write_30m, usage.cache_write_1h, usage.output}) {
      FH_CHECK(count <= 2 * kCountMax);
    }
    FH_CHECK(!record.source_id.empty());
    FH_CHECK(!record.format.empty());
    FH_CHECK(record.end_unix_ns >= record.start_unix_ns);
    for (const std::string* name : {&record.source_id, &record.model, &record.workspace,
                                    &record.key, &record.user, &record.session, &record.region,
                                    &record.application, &record.workload, &record.provider}) {
      check_name(*name);
    }
    note(record.source_id);
    note(std::to_string(usage.total()) + ' ' + std::to_string(record.start_unix_ns) + ' ' +
         std::to_string(record.line));
  }
  void cost(fh::domain::CostRecord&& record) override {
    FH_CHECK(!record.source_id.empty());
    check_name(record.item);
    note(record.source_id + ' ' + std::to_string(record.billed.value));
  }
  void skip(std::uint64_t line, std::string why) override {
    FH_CHECK(!why.empty());
    note(std::to_string(line) + ' ' + why);
  }
  std::string take() { return std::move(notes_); }

 private:
  void note(std::string_view text) {
    notes_ += text;
    notes_ += '\n';
  }
  std::string notes_;
};

// Reads `text` in pieces of the sizes in `sizes`, over and over; empty: in one piece.
std::string read(const Format& format, std::string_view text, const std::vector<std::size_t>& sizes,
                 const fh::importers::Options& options = {}) {
  CheckingSink sink;
  const FileHint hint{"fuzz/rollout-x.jsonl", text.substr(0, fh::importers::kHeadBytes),
                      1'774'087'569'000'000'000};
  auto importer = format.open(hint, options);
  if (!importer) return "not opened: " + importer.error().message;
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::size_t size = sizes.empty() ? text.size() : sizes[i % sizes.size()];
    const std::string piece(text.substr(0, size));
    (*importer)->feed(piece, sink);
    text.remove_prefix(piece.size());
  }
  (*importer)->finish(sink);
  return sink.take();
}

// Reads columns that some inputs have, in the ways that only a mapping can say.
constexpr std::string_view kMapping = R"(
time_format = "dmy"
tokens_per_unit = 1000
cost_unit = "cents"
input_includes_cache = true
[columns]
time = "timestamp"
model = "model"
input = "input_tokens"
output = "output_tokens"
[constants]
tier = "batch"
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::size_t> uneven;
  for (const char c : text.substr(0, 16)) {
    uneven.push_back(1 + static_cast<unsigned char>(c) % 61);
  }
  const FileHint hint{"fuzz/rollout-x.jsonl", text.substr(0, fh::importers::kHeadBytes)};
  const auto table = fh::importers::formats();
  const auto chosen = fh::importers::recognise(table, hint);
  FH_CHECK(chosen == fh::importers::recognise(table, hint));
  for (const Format& format : table) {
    FH_CHECK(format.recognise(hint) >= 0 && format.recognise(hint) <= 100);
    const std::string whole = read(format, text, {});
    FH_CHECK(read(format, text, uneven) == whole);
    if (size <= 4096) FH_CHECK(read(format, text, {1}) == whole);
    if (!format.by_mapping) continue;
    const fh::importers::Options mapped{std::string(kMapping)};
    FH_CHECK(read(format, text, uneven, mapped) == read(format, text, {}, mapped));
  }
  return 0;
}
