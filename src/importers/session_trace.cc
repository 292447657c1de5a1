// See session_trace.h. A file is one JSON value and held whole, up to codec::json's bound.

#include "importers/session_trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "importers/names.h"
#include "importers/numbers.h"
#include "importers/prefix_trace.h"

namespace fh::importers {
namespace {

constexpr std::size_t kBytesMax = codec::json::Limits{}.bytes_max;

class SessionImporter final : public Importer {
 public:
  void feed(std::string_view piece, Sink& /*sink*/) override {
    if (too_long_ || text_.size() + piece.size() > kBytesMax) {
      too_long_ = true;
      std::string().swap(text_);
      return;
    }
    text_.append(piece);
  }

  void finish(Sink& sink) override {
    if (too_long_) return sink.skip(0, "the session is longer than a JSON text may be");
    const auto trace = read_session_trace(text_);
    if (!trace) return sink.skip(0, trace.error().message);
    if (trace->refused != 0) {
      sink.skip(0, fmt::format("{} requests without believable numbers", trace->refused));
    }
    // Two sessions of one name are told apart by what they hold.
    const std::string parts[] = {text_};
    const std::string session = trace->id.empty() ? identity_of(parts) : trace->id;
    PrefixCache cache(trace->block_tokens);
    for (const PrefixRequest& request : trace->requests) {
      sink.usage(record_of(request, session, cache.serve(request)));
    }
  }

 private:
  static domain::UsageRecord record_of(const PrefixRequest& request, const std::string& session,
                                       std::uint64_t served) {
    domain::UsageRecord record;
    record.source_id = session + "/" + request.path;
    record.format = session_trace_format().name;
    record.provider = request.model.starts_with("claude") ? "anthropic" : "";
    record.model = request.model;
    record.start_unix_ns = request.start_ns;
    record.end_unix_ns =
        saturating_add(request.start_ns, std::min(request.duration_ns.value_or(0), kDayNs));
    record.requests = 1;
    record.usage.cache_read = served;
    record.usage.input_uncached = request.input - served;
    record.usage.output = request.output;
    record.workload = request.agent;
    record.session = session;
    record.ttft_ns = request.ttft_ns;
    record.duration_ns = request.duration_ns;
    return record;
  }

  std::string text_;
  bool too_long_ = false;
};

int recognise(const FileHint& hint) {
  const std::string_view start =
      trimmed(hint.head.substr(0, std::min<std::size_t>(hint.head.size(), 8192)));
  if (start.empty() || start.front() != '{') return 0;
  const bool named = contains(start, "\"block_size\"") && contains(start, "\"requests\"");
  const bool hashed = contains(start, "\"hash_id_scope\"") || contains(start, "\"hash_ids\"");
  return named && hashed ? 98 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& /*hint*/, const Options& /*options*/) {
  return std::make_unique<SessionImporter>();
}

}  // namespace

const Format& session_trace_format() {
  static constexpr Format kFormat{"session-trace", "Coding session trace", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
