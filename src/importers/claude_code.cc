// Claude Code transcripts, ~/.claude/projects/<project>/<session>.jsonl and subagents/ below.
//
// The trap: an answer is written as one line per content block, each with the whole usage, and the
// numbers of later lines may be larger; logs of side conversations repeat the parent's answers
// under new request ids. So lines are folded by message id: a line of the main conversation beats
// one of a side conversation, then the larger token total wins, then the one that tells its speed.
// Two main lines with one message id and different request ids are two answers of a gateway that
// numbers its messages badly.
//
// Answers are held until the file ends, at most kHeldMax; the lines of one answer lie close
// together, and what is given out early is still folded by source_id behind this importer.

#include "importers/claude_code.h"

#include <deque>
#include <unordered_map>
#include <vector>

#include "codec/json_scan.h"
#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Scanner;
using codec::json::string_of;
using codec::json::whole_of;

constexpr std::string_view kName = "claude-code";
constexpr std::size_t kHeldMax = 16 * 1024;
constexpr std::size_t kSameIdMax = 16;  // answers with one message id that are told apart

// What is read from one line, still as source text.
struct Line {
  std::string_view type, timestamp, session, cwd, request_id, uuid, cost;
  bool sidechain = false, api_error = false;
  std::string_view message_id, model;
  bool has_usage = false;
  std::string_view input, cache_read, cache_creation, output, web_searches;
  std::string_view write_5m, write_1h, tier, speed, region;
};

void read_cache_creation(Scanner& scan, Line& line) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) {
    const std::string_view raw = scan.value();
    if (key == "ephemeral_5m_input_tokens") line.write_5m = raw;
    if (key == "ephemeral_1h_input_tokens") line.write_1h = raw;
  }
}

void read_server_tools(Scanner& scan, Line& line) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) {
    const std::string_view raw = scan.value();
    if (key == "web_search_requests") line.web_searches = raw;
  }
}

void read_usage(Scanner& scan, Line& line) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  line.has_usage = true;
  while (scan.next_key(key)) {
    if (key == "cache_creation") {
      read_cache_creation(scan, line);
      continue;
    }
    if (key == "server_tool_use") {
      read_server_tools(scan, line);
      continue;
    }
    const std::string_view raw = scan.value();
    if (key == "input_tokens") line.input = raw;
    if (key == "cache_creation_input_tokens") line.cache_creation = raw;
    if (key == "cache_read_input_tokens") line.cache_read = raw;
    if (key == "output_tokens") line.output = raw;
    if (key == "service_tier") line.tier = raw;
    if (key == "speed") line.speed = raw;
    if (key == "inference_geo") line.region = raw;
  }
}

void read_message(Scanner& scan, Line& line) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) {
    if (key == "usage") {
      read_usage(scan, line);
      continue;
    }
    const std::string_view raw = scan.value();
    if (key == "id") line.message_id = raw;
    if (key == "model") line.model = raw;
  }
}

// False when the line is damaged.
bool read_line(std::string_view text, Line& line) {
  Scanner scan(text);
  std::string_view key;
  if (!scan.open_object()) return false;
  while (scan.next_key(key)) {
    if (key == "message") {
      read_message(scan, line);
      continue;
    }
    const std::string_view raw = scan.value();
    if (key == "type") line.type = raw;
    if (key == "timestamp") line.timestamp = raw;
    if (key == "sessionId") line.session = raw;
    if (key == "cwd") line.cwd = raw;
    if (key == "requestId") line.request_id = raw;
    if (key == "uuid") line.uuid = raw;
    if (key == "costUSD") line.cost = raw;
    if (key == "isSidechain") line.sidechain = raw == "true";
    if (key == "isApiErrorMessage") line.api_error = raw == "true";
  }
  return scan.ok() && scan.at_end();
}

std::string name_in(std::string_view raw) {
  return name_of(string_of(raw).value_or(""));
}

// Absent and null are 0; false for anything else that is no believable count.
bool read_count(std::string_view raw, std::uint64_t& out) {
  out = 0;
  if (raw.empty() || raw == "null") return true;
  const auto value = whole_of(raw);
  if (!value || *value > kCountMax) return false;
  out = *value;
  return true;
}

bool read_counts(const Line& line, domain::UsageRecord& record) {
  domain::Usage& usage = record.usage;
  std::uint64_t written = 0;
  const bool good =
      read_count(line.input, usage.input_uncached) &&
      read_count(line.cache_read, usage.cache_read) && read_count(line.cache_creation, written) &&
      read_count(line.write_5m, usage.cache_write_5m) &&
      read_count(line.write_1h, usage.cache_write_1h) && read_count(line.output, usage.output) &&
      read_count(line.web_searches, record.web_searches);
  const std::uint64_t known = usage.cache_write_5m + usage.cache_write_1h;
  if (written > known) usage.cache_write_5m += written - known;
  return good;
}

std::string provider_of(std::string_view message_id, std::string_view model) {
  if (message_id.starts_with("msg_bdrk_")) return "aws-bedrock";
  return model.starts_with("claude") || message_id.starts_with("msg_") ? "anthropic" : "";
}

// The last part of a folder's path: names the project without naming the person.
std::string project_of(std::string_view cwd_raw) {
  std::string path = string_of(cwd_raw).value_or("");
  while (path.size() > 1 && (path.back() == '/' || path.back() == '\\')) path.pop_back();
  const std::size_t cut = path.find_last_of("/\\");
  return name_of(cut == std::string::npos ? path : std::string_view(path).substr(cut + 1));
}

domain::ServiceTier tier_of(const Line& line) {
  if (line.speed == "\"fast\"") return domain::ServiceTier::Fast;
  const auto tier = parse_tier(string_of(line.tier).value_or(""));
  return tier.value_or(domain::ServiceTier::Standard);
}

struct Answer {
  domain::UsageRecord record;
  std::size_t message_id_bytes = 0;  // of source_id, which may go on with the request id
  std::string request_id;
  bool sidechain = false, has_speed = false;
};

// Whether `b` is the better reading of the answer `a`.
bool better(const Answer& b, const Answer& a) {
  if (b.sidechain != a.sidechain) return a.sidechain;
  if (b.record.usage.total() != a.record.usage.total()) {
    return b.record.usage.total() > a.record.usage.total();
  }
  return b.has_speed && !a.has_speed;
}

void fold(Answer&& from, Answer& into) {
  const std::int64_t start = std::min(into.record.start_unix_ns, from.record.start_unix_ns);
  const std::int64_t end = std::max(into.record.end_unix_ns, from.record.end_unix_ns);
  if (better(from, into)) {
    std::string id = std::move(into.record.source_id);
    const std::size_t message_id_bytes = into.message_id_bytes;
    into = std::move(from);
    into.record.source_id = std::move(id);
    into.message_id_bytes = message_id_bytes;
  }
  into.record.start_unix_ns = start;
  into.record.end_unix_ns = end;
}

class Transcript final : public LineImporter {
 public:
  void finish(Sink& sink) override {
    LineImporter::finish(sink);
    release(answers_.size(), sink);
  }

 protected:
  void line(const LineSplitter::Line& at, Sink& sink) override {
    if (at.too_long) {
      sink.skip(at.number, "a record is too long");
      return;
    }
    // Only records with this key can count; a text that speaks of it has its quotes escaped.
    if (!contains(at.text, "\"usage\"")) return;
    Line line;
    if (!read_line(at.text, line)) {
      sink.skip(at.number, "damaged JSON");
      return;
    }
    if (line.type != "\"assistant\"" || !line.has_usage || line.api_error) return;
    if (line.model == "\"<synthetic>\"") return;  // written by the tool, not by a model
    Answer answer;
    if (const char* why = make(line, answer)) {
      sink.skip(at.number, why);
      return;
    }
    answer.record.line = at.number;
    if (answer.record.usage.total() > 0) add(std::move(answer), sink);
  }

 private:
  static const char* make(const Line& line, Answer& answer) {
    domain::UsageRecord& record = answer.record;
    const auto time = parse_time_ns(string_of(line.timestamp).value_or(""));
    if (!time) return "a record without a time that can be read";
    if (!read_counts(line, record)) return "a token count that is no count";
    const std::string message_id = name_in(line.message_id);
    answer.request_id = name_in(line.request_id);
    answer.sidechain = line.sidechain;
    answer.has_speed = line.speed.size() > 2;
    record.source_id = !message_id.empty()          ? message_id
                       : !answer.request_id.empty() ? answer.request_id
                                                    : name_in(line.uuid);
    if (record.source_id.empty()) return "a record without an identity";
    record.format = kName;
    record.model = name_in(line.model);
    record.provider = provider_of(message_id, record.model);
    record.start_unix_ns = record.end_unix_ns = *time;
    record.requests = 1;
    record.tier = tier_of(line);
    record.region = name_in(line.region);
    if (record.region == "not_available") record.region.clear();
    record.session = name_in(line.session);
    record.workspace = project_of(line.cwd);
    record.application = kName;
    if (line.sidechain) record.workload = domain::kSubAgent;
    if (!line.cost.empty()) record.reported_cost = parse_usd(line.cost);
    if (record.reported_cost) record.cost_kind = domain::CostKind::Estimate;
    return nullptr;
  }

  // The held answer that `answer` is another reading of, or nullptr. `with_id` is not empty.
  Answer* same(const std::vector<std::size_t>& with_id, const Answer& answer) {
    for (const std::size_t index : with_id) {
      Answer& held = answers_[index - first_];
      if (answer.sidechain || held.sidechain || answer.request_id.empty() ||
          held.request_id.empty() || held.request_id == answer.request_id) {
        return &held;
      }
    }
    return with_id.size() < kSameIdMax ? nullptr : &answers_[with_id.back() - first_];
  }

  void add(Answer&& answer, Sink& sink) {
    answer.message_id_bytes = answer.record.source_id.size();
    std::vector<std::size_t>& with_id = by_id_[answer.record.source_id];
    if (!with_id.empty()) {
      if (Answer* held = same(with_id, answer)) {
        fold(std::move(answer), *held);
        return;
      }
      answer.record.source_id += '/' + answer.request_id;
    }
    with_id.push_back(first_ + answers_.size());
    answers_.push_back(std::move(answer));
    if (answers_.size() > kHeldMax) release(kHeldMax / 2, sink);
  }

  void release(std::size_t count, Sink& sink) {
    for (; count > 0; --count, ++first_) {
      Answer answer = std::move(answers_.front());
      answers_.pop_front();
      const auto entry = by_id_.find(answer.record.source_id.substr(0, answer.message_id_bytes));
      if (entry != by_id_.end()) {
        std::erase(entry->second, first_);
        if (entry->second.empty()) by_id_.erase(entry);
      }
      sink.usage(std::move(answer.record));
    }
  }

  std::deque<Answer> answers_;  // in order of their first line
  std::size_t first_ = 0;       // number of the answer at the front
  std::unordered_map<std::string, std::vector<std::size_t>> by_id_;
};

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  const std::size_t first = first_record(head);
  if (first == std::string_view::npos) return 0;
  const bool session = has_member(head, "sessionId", "\"");
  if (session && (has_member(head, "parentUuid") || has_member(head, "isSidechain"))) return 95;
  // A session in which nothing was said, or one that only names others.
  if (has_member(head, "type", "\"summary\"") && has_member(head, "leafUuid")) return 60;
  if (session && has_member(head.substr(first, 40), "type", "\"")) return 50;
  // A first line longer than the head: the place tells.
  return contains(hint.path, "/projects/") && hint.path.ends_with(".jsonl") &&
                 has_member(head, "parentUuid")
             ? 50
             : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  auto lines = std::make_unique<Transcript>();
  if (!LaidOutRecords::is_laid_out(hint.head)) return lines;
  return std::make_unique<LaidOutRecords>(std::move(lines));
}

}  // namespace

const Format& claude_code_format() {
  static constexpr Format kFormat{kName, "Claude Code transcript", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
