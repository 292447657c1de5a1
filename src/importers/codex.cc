// Codex CLI session logs, ~/.codex/{sessions,archived_sessions}/**/rollout-*.jsonl, and the output
// of `codex exec --json`.
//
// A token_count event carries the running total of the session and the last step. The step counts;
// without it, what the total has grown by. An event whose total has not moved is a repetition.
// Cached tokens are a part of the input and reasoning a part of the output here. A log of a
// sub-agent or of a fork may begin with a replay of its parent's events, all within its first
// second: these are passed over. An event's identity is its time and its counts, not its file: a
// copy of a session in the archive folder, or a fork that repeats the history with the old times,
// counts once. `codex exec --json` tells no times: its turns have that of the file, and are known
// by their thread and their place in it.

#include "importers/codex.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json_scan.h"
#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Scanner;
using codec::json::string_of;
using codec::json::whole_of;

constexpr std::string_view kName = "codex";
constexpr std::size_t kSpawnHeadBytes = 16 * 1024;  // where a log says whose child it is

struct Counts {
  bool present = false, bad = false;
  std::uint64_t input = 0, cached = 0, output = 0, reasoning = 0;
  bool operator==(const Counts&) const = default;
  bool zero() const { return input == 0 && cached == 0 && output == 0; }
};

// Source text of what one line says.
struct Line {
  std::string_view type, timestamp, payload_type, model, session, thread, cwd, provider, tier;
  Counts total, last, turn;
};

std::uint64_t count_in(std::string_view raw, bool& bad) {
  if (raw == "null") return 0;
  const auto value = whole_of(raw);
  if (!value || *value > kCountMax) bad = true;
  return value && *value <= kCountMax ? *value : 0;
}

Counts read_counts(Scanner& scan) {
  Counts counts;
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return counts;
  }
  counts.present = true;
  while (scan.next_key(key)) {
    const std::string_view raw = scan.value();
    if (key == "input_tokens") counts.input = count_in(raw, counts.bad);
    if (key == "cached_input_tokens" || key == "cache_read_input_tokens") {
      counts.cached = count_in(raw, counts.bad);
    }
    if (key == "output_tokens") counts.output = count_in(raw, counts.bad);
    if (key == "reasoning_output_tokens") counts.reasoning = count_in(raw, counts.bad);
  }
  return counts;
}

void read_info(Scanner& scan, Line& line) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) {
    if (key == "total_token_usage") {
      line.total = read_counts(scan);
    } else if (key == "last_token_usage") {
      line.last = read_counts(scan);
    } else {
      const std::string_view raw = scan.value();
      if (key == "model") line.model = raw;
    }
  }
}

void read_payload(Scanner& scan, Line& line) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) {
    if (key == "info") {
      read_info(scan, line);
      continue;
    }
    const std::string_view raw = scan.value();
    if (key == "type") line.payload_type = raw;
    if (key == "model") line.model = raw;
    if (key == "id") line.session = raw;
    if (key == "cwd") line.cwd = raw;
    if (key == "model_provider") line.provider = raw;
    if (key == "service_tier") line.tier = raw;
  }
}

bool read_line(std::string_view text, Line& line) {
  Scanner scan(text);
  std::string_view key;
  if (!scan.open_object()) return false;
  while (scan.next_key(key)) {
    if (key == "payload") {
      read_payload(scan, line);
      continue;
    }
    if (key == "usage") {
      line.turn = read_counts(scan);
      continue;
    }
    const std::string_view raw = scan.value();
    if (key == "type") line.type = raw;
    if (key == "timestamp") line.timestamp = raw;
    if (key == "thread_id") line.thread = raw;
    if (key == "model") line.model = raw;
  }
  return scan.ok() && scan.at_end();
}

std::string name_in(std::string_view raw) {
  return name_of(string_of(raw).value_or(""));
}

// Texts, and numbers that are Unix times.
std::optional<std::int64_t> time_in(std::string_view raw) {
  return parse_time_ns(string_of(raw).value_or(std::string(raw)));
}

std::string last_part(std::string path) {
  while (path.size() > 1 && (path.back() == '/' || path.back() == '\\')) path.pop_back();
  const std::size_t cut = path.find_last_of("/\\");
  return name_of(cut == std::string::npos ? path : path.substr(cut + 1));
}

// What `now` adds to `before`; a total that fell has begun anew.
Counts grown(const Counts& before, const Counts& now) {
  if (now.input < before.input || now.cached < before.cached || now.output < before.output ||
      now.reasoning < before.reasoning) {
    return now;
  }
  Counts step = now;
  step.input -= before.input;
  step.cached -= before.cached;
  step.output -= before.output;
  step.reasoning -= before.reasoning;
  return step;
}

class SessionLog final : public LineImporter {
 public:
  // What the file itself says of it: whether it is a sub-agent's or a fork's, and its own time,
  // which is that of turns that have none.
  struct Origin {
    bool sub_agent = false, fork = false;
    std::optional<std::int64_t> file_time;
  };
  explicit SessionLog(const Origin& origin) : origin_(origin) {}

 private:
  static bool matters(std::string_view text) {
    return contains(text, "\"token_count\"") || contains(text, "\"turn_context\"") ||
           contains(text, "\"session_meta\"") || contains(text, "\"turn.completed\"") ||
           contains(text, "\"thread.started\"");
  }

  void line(const LineSplitter::Line& at, Sink& sink) override {
    if (at.too_long) {
      sink.skip(at.number, "a record is too long");
      return;
    }
    if (!matters(at.text)) return;
    Line line;
    if (!read_line(at.text, line)) {
      sink.skip(at.number, "damaged JSON");
      return;
    }
    const auto time = time_in(line.timestamp);
    if (time && !began_) began_ = *time;
    if (line.type == "\"session_meta\"" && session_.empty()) {
      session_ = name_in(line.session);
      provider_ = name_in(line.provider);
      workspace_ = last_part(string_of(line.cwd).value_or(""));
    } else if (line.type == "\"thread.started\"") {
      session_ = name_in(line.thread);
      turns_ = 0;
    } else if (line.type == "\"turn_context\"") {
      model_ = name_in(line.model);
      tier_ = parse_tier(string_of(line.tier).value_or("")).value_or(domain::ServiceTier::Standard);
      if (!line.cwd.empty()) workspace_ = last_part(string_of(line.cwd).value_or(""));
    } else if (line.type == "\"event_msg\"" && line.payload_type == "\"token_count\"") {
      token_count(line, time, at.number, sink);
    } else if (line.type == "\"turn.completed\"" && line.turn.present) {
      turn(line, time, at.number, sink);
    }
  }

  void token_count(const Line& line, std::optional<std::int64_t> time, std::uint64_t number,
                   Sink& sink) {
    if (!line.total.present && !line.last.present) return;  // limits alone
    const Counts before = total_;
    if (line.total.present && !line.total.bad) total_ = line.total;
    if (line.total.present && before.present && line.total == before) return;
    const Counts step = line.last.present ? line.last : grown(before, line.total);
    if (is_replay(time)) return;
    Event event{step, time, name_in(line.model), {}};
    give(std::move(event), number, sink);
  }

  // The parent's history, replayed when the log began. A fork may also have it with the old times:
  // then the parent's log, if it is there, has the same events.
  bool is_replay(std::optional<std::int64_t> time) const {
    if (!time || !began_ || *time >= *began_ + kSecondNs) return false;
    return origin_.sub_agent || (origin_.fork && *time >= *began_);
  }

  void turn(const Line& line, std::optional<std::int64_t> time, std::uint64_t number, Sink& sink) {
    Event event{line.turn, time, name_in(line.model), {}};
    ++turns_;
    if (!time && origin_.file_time && !session_.empty()) {
      event.time = origin_.file_time;
      event.place = fmt::format("{}/{}", session_, turns_);
    }
    give(std::move(event), number, sink);
  }

  struct Event {
    Counts step;
    std::optional<std::int64_t> time;
    std::string model;  // empty: the session's
    std::string place;  // of an event that has no time of its own
  };

  void give(Event&& event, std::uint64_t number, Sink& sink) {
    const Counts& step = event.step;
    const auto& time = event.time;
    if (step.bad || step.cached > step.input) {
      sink.skip(number, "a token count that is no count");
      return;
    }
    if (step.zero()) return;
    if (!time) {
      sink.skip(number, "usage without a time");
      return;
    }
    domain::UsageRecord record;
    const std::string parts[] = {event.place.empty() ? std::to_string(*time) : event.place,
                                 std::to_string(step.input), std::to_string(step.cached),
                                 std::to_string(step.output), std::to_string(step.reasoning)};
    record.source_id = identity_of(parts);
    record.format = kName;
    record.provider = provider_.empty() ? "openai" : provider_;
    record.model = event.model.empty() ? model_ : std::move(event.model);
    record.start_unix_ns = record.end_unix_ns = *time;
    record.requests = 1;
    record.usage.input_uncached = step.input - step.cached;
    record.usage.cache_read = step.cached;
    record.usage.output = step.output;
    record.usage.reasoning = std::min(step.reasoning, step.output);
    record.tier = tier_;
    record.application = kName;
    record.session = session_;
    record.workspace = workspace_;
    if (origin_.sub_agent) record.workload = domain::kSubAgent;
    record.line = number;
    sink.usage(std::move(record));
  }

  Origin origin_;
  std::uint64_t turns_ = 0;  // of the thread at hand
  std::optional<std::int64_t> began_;
  std::string session_, provider_, workspace_, model_;
  domain::ServiceTier tier_ = domain::ServiceTier::Standard;
  Counts total_;
};

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  const std::size_t first = first_record(head);
  if (first == std::string_view::npos) return 0;
  const bool payload = has_member(head, "payload");
  if (payload && has_member(head, "type", "\"session_meta\"")) return 95;
  if (payload && (has_member(head, "type", "\"turn_context\"") ||
                  has_member(head, "type", "\"token_count\""))) {
    return 90;
  }
  if (has_member(head, "type", "\"thread.started\"") ||
      has_member(head, "type", "\"turn.completed\"")) {
    return 80;
  }
  const std::size_t slash = hint.path.rfind('/');
  const std::string_view file = hint.path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  return file.starts_with("rollout-") && file.find(".jsonl") != std::string_view::npos ? 40 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  const std::string_view head = hint.head.substr(0, std::min(hint.head.size(), kSpawnHeadBytes));
  SessionLog::Origin origin{has_member(head, "thread_spawn"),
                            has_member(head, "forked_from_id", "\""), std::nullopt};
  if (hint.modified_unix_ns > 0) origin.file_time = hint.modified_unix_ns;
  auto lines = std::make_unique<SessionLog>(origin);
  if (!LaidOutRecords::is_laid_out(hint.head)) return lines;
  return std::make_unique<LaidOutRecords>(std::move(lines));
}

}  // namespace

const Format& codex_format() {
  static constexpr Format kFormat{kName, "Codex session log", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
