// One call of a model may be told up to three times: by its span, by a log record of the call and
// by one of the agent's turn. Of one trace, or one response, the first of these kinds counts that
// tells it. Spans of calls go on at once; what may be told better is held until the file ends.
// Cached tokens are a part of the input here. Texts of prompts and answers, which such records may
// carry, are jumped over.

#include "importers/copilot_otel.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "codec/fast_hash.h"
#include "codec/json_scan.h"
#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Scanner;
using codec::json::string_of;

constexpr std::string_view kName = "copilot-otel";
constexpr std::size_t kHeldMax = 256 * 1024;
constexpr int kDepthMax = 4;  // resource, scope, record

// How well a record tells of a call; lower is better.
enum class Rank : std::uint8_t { Call, CallLog, Turn, Run, None };

// Source text of what one record says.
struct Record {
  std::string_view type, name, trace, span, body;
  std::array<std::string_view, 2> start, end;  // seconds and nanoseconds, or one number
  std::string_view operation, event, request_model, response_model, response, session, turn;
  std::string_view input, output, cache_read, cache_write, reasoning;
};

std::string text_in(std::string_view raw) {
  return string_of(raw).value_or("");
}

// [1775934264, 967317833], or a number of any unit.
std::array<std::string_view, 2> read_time(Scanner& scan) {
  std::array<std::string_view, 2> parts;
  if (!scan.open_array()) {
    parts[0] = scan.value();
    return parts;
  }
  for (std::size_t i = 0; scan.next_element(); ++i) {
    const std::string_view raw = scan.value();
    if (i < parts.size()) parts[i] = raw;
  }
  return parts;
}

// {"intValue":"5"}: the value in it, whatever its type.
std::string_view read_typed(Scanner& scan) {
  if (!scan.open_object()) return scan.value();
  std::string_view key, out;
  while (scan.next_key(key)) out = scan.value();
  return out;
}

struct Attribute {
  std::string_view key;
  std::string_view Record::* member;
};

constexpr Attribute kAttributes[] = {
    {"gen_ai.operation.name", &Record::operation},
    {"event.name", &Record::event},
    {"gen_ai.request.model", &Record::request_model},
    {"gen_ai.response.model", &Record::response_model},
    {"gen_ai.response.id", &Record::response},
    {"gen_ai.conversation.id", &Record::session},
    {"session.id", &Record::session},
    {"copilot_chat.session_id", &Record::session},
    {"turn.index", &Record::turn},
    {"gen_ai.usage.input_tokens", &Record::input},
    {"gen_ai.usage.output_tokens", &Record::output},
    {"gen_ai.usage.cache_read.input_tokens", &Record::cache_read},
    {"gen_ai.usage.cache_write.input_tokens", &Record::cache_write},
    {"gen_ai.usage.cache_creation.input_tokens", &Record::cache_write},
    {"gen_ai.usage.reasoning.output_tokens", &Record::reasoning},
    {"gen_ai.usage.reasoning_tokens", &Record::reasoning},
};

void set_attribute(std::string_view key, std::string_view raw, Record& out) {
  for (const Attribute& known : kAttributes) {
    if (known.key == key && (out.*known.member).empty()) out.*known.member = raw;
  }
}

// An object of values, or OTLP's list of keys and typed values.
void read_attributes(Scanner& scan, Record& out) {
  std::string_view key;
  if (scan.open_object()) {
    while (scan.next_key(key)) set_attribute(key, scan.value(), out);
    return;
  }
  if (!scan.open_array()) {
    scan.value();
    return;
  }
  while (scan.next_element()) {
    std::string_view name, value;
    if (!scan.open_object()) {
      scan.value();
      continue;
    }
    while (scan.next_key(key)) {
      if (key == "value") {
        value = read_typed(scan);
      } else {
        const std::string_view raw = scan.value();
        if (key == "key" && raw.size() > 2) name = raw.substr(1, raw.size() - 2);
      }
    }
    set_attribute(name, value, out);
  }
}

bool is_list_of_records(std::string_view key) {
  static constexpr std::string_view kLists[] = {"resourceSpans", "scopeSpans", "spans",
                                                "resourceLogs",  "scopeLogs",  "logRecords"};
  return std::ranges::find(kLists, key) != std::end(kLists);
}

bool is_start(std::string_view key) {
  return key == "startTime" || key == "startTimeUnixNano";
}
bool is_end(std::string_view key) {
  static constexpr std::string_view kKeys[] = {
      "endTime", "endTimeUnixNano", "hrTime", "_hrTime", "time", "timestamp", "timeUnixNano"};
  return std::ranges::find(kKeys, key) != std::end(kKeys);
}

void set_text(std::string_view key, std::string_view raw, Record& out) {
  if (key == "type") out.type = raw;
  if (key == "name") out.name = raw;
  if (key == "traceId") out.trace = raw;
  if (key == "spanId") out.span = raw;
  if (key == "body" || key == "_body") out.body = raw;
}

// Reads the object at hand and hands it and the records in it to `give`.
template <typename Fn>
void read_record(Scanner& scan, int depth, Fn&& give) {
  Record record;
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) {
    if (key == "attributes") {
      read_attributes(scan, record);
    } else if (is_list_of_records(key) && depth < kDepthMax && scan.open_array()) {
      while (scan.next_element()) read_record(scan, depth + 1, give);
    } else if (key == "spanContext" && scan.open_object()) {
      while (scan.next_key(key)) set_text(key, scan.value(), record);
    } else if (is_start(key)) {
      record.start = read_time(scan);
    } else if (is_end(key)) {
      record.end = read_time(scan);
    } else {
      set_text(key, scan.value(), record);
    }
  }
  give(record);
}

std::optional<std::int64_t> time_of(const std::array<std::string_view, 2>& parts) {
  if (parts[1].empty()) {
    return parse_time_ns(string_of(parts[0]).value_or(std::string(parts[0])));
  }
  const auto seconds = parse_time_ns(parts[0]);
  const auto nanoseconds = codec::json::whole_of(parts[1]);
  if (!seconds || !nanoseconds || *nanoseconds >= static_cast<std::uint64_t>(kSecondNs)) {
    return std::nullopt;
  }
  return *seconds + static_cast<std::int64_t>(*nanoseconds);
}

Rank rank_of(const Record& record) {
  const std::string name = text_in(record.name), body = text_in(record.body);
  const bool span =
      record.type.empty() ? !name.empty() && !record.trace.empty() : record.type == "\"span\"";
  if (span) {
    const std::string operation = text_in(record.operation);
    if (operation == "chat" || name.starts_with("chat ")) return Rank::Call;
    return operation == "invoke_agent" || name.starts_with("invoke_agent ") ? Rank::Run
                                                                            : Rank::None;
  }
  const std::string event = text_in(record.event);
  if (event == "gen_ai.client.inference.operation.details" ||
      body.starts_with("GenAI inference:")) {
    return Rank::CallLog;
  }
  return event == "copilot_chat.agent.turn" || body.starts_with("copilot_chat.agent.turn")
             ? Rank::Turn
             : Rank::None;
}

std::uint64_t count_in(std::string_view raw, bool& bad) {
  if (raw.empty() || raw == "null") return 0;
  const auto value = parse_count(string_of(raw).value_or(std::string(raw)));
  if (!value || *value > kCountMax) bad = true;
  return value && *value <= kCountMax ? *value : 0;
}

// What is wrong with the counts, or nullptr.
const char* read_counts(const Record& record, domain::Usage& usage) {
  bool bad = false;
  const std::uint64_t input = count_in(record.input, bad);
  usage.cache_read = count_in(record.cache_read, bad);
  usage.cache_write_5m = count_in(record.cache_write, bad);
  usage.output = count_in(record.output, bad);
  usage.reasoning = std::min(count_in(record.reasoning, bad), usage.output);
  if (bad) return "a token count that is no count";
  if (usage.cache_read + usage.cache_write_5m > input)
    return "more cached tokens than input tokens";
  usage.input_uncached = input - usage.cache_read - usage.cache_write_5m;
  return nullptr;
}

class Telemetry final : public LineImporter {
 public:
  void finish(Sink& sink) override {
    LineImporter::finish(sink);
    for (Held& held : held_) {
      if (is_told_better(held)) continue;
      if (held.rank == Rank::Run) {
        sink.skip(held.record.line, "an agent's sum alone: it does not tell its calls");
      } else {
        sink.usage(std::move(held.record));
      }
    }
    held_.clear();
  }

 private:
  struct Held {
    domain::UsageRecord record;
    Rank rank = Rank::None;
    std::uint64_t trace = 0, response = 0;  // hashes; 0: not told
  };

  void line(const LineSplitter::Line& at, Sink& sink) override {
    if (at.too_long) return sink.skip(at.number, "a record is too long");
    if (!contains(at.text, "\"gen_ai.") && !contains(at.text, "\"copilot_chat.")) return;
    Scanner scan(at.text);
    std::vector<Record> records;
    read_record(scan, 0, [&](const Record& record) { records.push_back(record); });
    if (!scan.ok() || !scan.at_end()) return sink.skip(at.number, "damaged JSON");
    for (const Record& record : records) take(record, at.number, sink);
  }

  void take(const Record& source, std::uint64_t number, Sink& sink) {
    Held held;
    held.rank = rank_of(source);
    if (held.rank == Rank::None) return;
    domain::UsageRecord& record = held.record;
    if (const char* why = read_counts(source, record.usage)) return sink.skip(number, why);
    if (record.usage.total() == 0) return;
    const auto end = time_of(source.end), start = time_of(source.start);
    if (!end && !start) return sink.skip(number, "a record without a time that can be read");
    record.start_unix_ns = start.value_or(end.value_or(0));
    record.end_unix_ns = std::max(record.start_unix_ns, end.value_or(record.start_unix_ns));
    if (start && end && *end >= *start) record.duration_ns = *end - *start;
    name_record(source, held);
    record.line = number;
    note(held);
    if (held.rank == Rank::Call) return sink.usage(std::move(record));
    if (held_.size() == kHeldMax) {
      return sink.skip(number, "more log records than can be compared with the calls they are of");
    }
    held_.push_back(std::move(held));
  }

  static void name_record(const Record& source, Held& held) {
    domain::UsageRecord& record = held.record;
    const std::string trace = text_in(source.trace), span = text_in(source.span);
    const std::string response = text_in(source.response);
    record.format = kName;
    record.provider = "github-copilot";
    record.application = "copilot";
    record.requests = 1;
    const std::string model = text_in(source.response_model);
    record.model = name_of(model.empty() ? text_in(source.request_model) : model);
    record.session = name_of(text_in(source.session));
    const std::string parts[] = {
        trace,
        span,
        response,
        span.empty() ? std::to_string(record.start_unix_ns) : "",
        span.empty() || held.rank == Rank::Turn ? std::string(source.turn) : "",
        std::to_string(static_cast<int>(held.rank))};
    record.source_id = identity_of(parts);
    if (!trace.empty()) held.trace = codec::fast_hash(trace).low | 1;
    if (!response.empty()) held.response = (codec::fast_hash(response).low & ~std::uint64_t{1}) | 2;
  }

  void note(const Held& held) {
    for (const std::uint64_t key : {held.trace, held.response}) {
      if (key == 0 || (best_.size() >= kHeldMax && !best_.contains(key))) continue;
      Rank& best = best_.try_emplace(key, held.rank).first->second;
      best = std::min(best, held.rank);
    }
  }

  bool is_told_better(const Held& held) const {
    const auto better = [&](std::uint64_t key) {
      const auto best = best_.find(key);
      return key != 0 && best != best_.end() && best->second < held.rank;
    };
    return better(held.trace) || better(held.response);
  }

  std::vector<Held> held_;
  std::unordered_map<std::uint64_t, Rank> best_;  // by trace and by response
};

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  if (first_record(head) == std::string_view::npos || !contains(head, "\"attributes\"")) return 0;
  const bool calls =
      contains(head, "\"gen_ai.usage.") || contains(head, "\"gen_ai.operation.name\"");
  if (!calls) return 0;
  return contains(head, "opilot") ? 88 : 60;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  auto lines = std::make_unique<Telemetry>();
  if (!LaidOutRecords::is_laid_out(hint.head)) return lines;
  return std::make_unique<LaidOutRecords>(std::move(lines));
}

}  // namespace

const Format& copilot_otel_format() {
  static constexpr Format kFormat{kName, "GitHub Copilot telemetry", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
