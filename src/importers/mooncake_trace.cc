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

enum class Kind : std::uint8_t { Mooncake, Bailian };

class MooncakeImporter final : public LineImporter {
 public:
  explicit MooncakeImporter(Kind kind)
      : kind_(kind), cache_(kind == Kind::Bailian ? kBailianBlockTokens : kMooncakeBlockTokens) {}

 protected:
  void line(const LineSplitter::Line& line, Sink& sink) override {
    if (line.too_long) return sink.skip(line.number, "the line is longer than a line may be");
    const std::string_view text = trimmed(line.text);
    if (text.empty()) return;
    const bool bailian = kind_ == Kind::Bailian;
    const auto request = bailian ? read_bailian_line(text) : read_mooncake_line(text);
    if (!request) return sink.skip(line.number, request.error().message);
    domain::UsageRecord record;
    record.format = (bailian ? bailian_trace_format() : mooncake_trace_format()).name;
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
  Kind kind_;
  PrefixCache cache_;
  RowIdentity identity_;
};

// How sure the first line makes it: 0 when it is the other kind.
int recognise_kind(std::string_view head, Kind kind) {
  const std::string_view first = trimmed(head.substr(0, head.find('\n')));
  if (first.empty() || first.front() != '{') return 0;
  const bool named = contains(first, "\"timestamp\"") && contains(first, "\"input_length\"") &&
                     contains(first, "\"output_length\"");
  if (!named || contains(first, "\"chat_id\"") != (kind == Kind::Bailian)) return 0;
  return contains(first, "\"hash_ids\"") ? 98 : 70;
}

int recognise_mooncake(const FileHint& hint) {
  return recognise_kind(hint.head, Kind::Mooncake);
}
int recognise_bailian(const FileHint& hint) {
  return recognise_kind(hint.head, Kind::Bailian);
}

base::Result<std::unique_ptr<Importer>> open_mooncake(const FileHint& /*hint*/,
                                                      const Options& /*options*/) {
  return std::make_unique<MooncakeImporter>(Kind::Mooncake);
}
base::Result<std::unique_ptr<Importer>> open_bailian(const FileHint& /*hint*/,
                                                     const Options& /*options*/) {
  return std::make_unique<MooncakeImporter>(Kind::Bailian);
}

}  // namespace

const Format& mooncake_trace_format() {
  static constexpr Format kFormat{"mooncake-trace", "Mooncake request trace", recognise_mooncake,
                                  open_mooncake};
  return kFormat;
}

const Format& bailian_trace_format() {
  static constexpr Format kFormat{"bailian-trace", "Bailian request trace", recognise_bailian,
                                  open_bailian};
  return kFormat;
}

}  // namespace fh::importers
