// See mooncake_trace.h. The importer holds the hashes of all blocks seen so far (16 bytes and the
// table's own), nothing else of the file.

#include "importers/mooncake_trace.h"

#include <algorithm>

#include "importers/names.h"
#include "importers/numbers.h"
#include "importers/prefix_trace.h"
#include "importers/row_identity.h"

namespace fh::importers {
namespace {

class MooncakeImporter final : public LineImporter {
 protected:
  void line(const LineSplitter::Line& line, Sink& sink) override {
    if (line.too_long) return sink.skip(line.number, "the line is longer than a line may be");
    const std::string_view text = trimmed(line.text);
    if (text.empty()) return;
    const auto request = read_mooncake_line(text);
    if (!request) return sink.skip(line.number, request.error().message);
    domain::UsageRecord record;
    record.format = mooncake_trace_format().name;
    record.line = line.number;
    record.start_unix_ns = record.end_unix_ns = request->start_ns;
    record.requests = 1;
    record.usage.cache_read = cache_.serve(*request);
    record.usage.input_uncached = request->input - record.usage.cache_read;
    record.usage.output = request->output;
    identity_.to(record.source_id, {text}, line.number);
    sink.usage(std::move(record));
  }

 private:
  PrefixCache cache_{kMooncakeBlockTokens};
  RowIdentity identity_;
};

int recognise(const FileHint& hint) {
  const std::string_view first = trimmed(hint.head.substr(0, hint.head.find('\n')));
  if (first.empty() || first.front() != '{') return 0;
  const bool named = contains(first, "\"timestamp\"") && contains(first, "\"input_length\"") &&
                     contains(first, "\"output_length\"");
  if (!named) return 0;
  return contains(first, "\"hash_ids\"") ? 98 : 70;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& /*hint*/, const Options& /*options*/) {
  return std::make_unique<MooncakeImporter>();
}

}  // namespace

const Format& mooncake_trace_format() {
  static constexpr Format kFormat{"mooncake-trace", "Mooncake request trace", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
