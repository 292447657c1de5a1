// Gemini CLI conversations, tmp/<project>/chats/*.{json,jsonl} under ~/.gemini: one object with a
// list of messages, or one message per line. A model's message carries
// tokens{input,output,cached,thoughts,tool,total}; cached tokens are a part of the input, thoughts
// are billed as output beside it. A message that is written again has the same id and its last
// state: the larger total wins.
//
// A run that answers in JSON ends with sums by model, stats.models.<name>.{api,tokens}, and no
// time: they have that of the file. A prompt's length is not told by them.

#include "importers/gemini_cli.h"

#include <algorithm>

#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Value;

constexpr std::string_view kName = "gemini-cli";
constexpr std::string_view kLists[] = {"messages"};

class Conversation final : public ElementImporter {
 public:
  // `file_unix_ns`: the file's own time; 0: not known.
  explicit Conversation(std::int64_t file_unix_ns)
      : ElementImporter(kLists), file_unix_ns_(file_unix_ns) {}

 private:
  void row(Value value, const Element& element, Sink& sink) override {
    if (value["sessionId"].is_string()) session_ = text_of(value, "sessionId");
    if (const Value models = value["stats"]["models"]; models.is_object()) {
      for (const auto& [model, stats] : models.members()) {
        read_sum(value, model, stats, element.line, sink);
      }
      return;
    }
    const Value tokens = value["tokens"];
    if (text_of(value, "type") != "gemini" || !tokens.is_object()) return;
    bool bad = false;
    const std::uint64_t input = count_field(tokens, "input", bad);
    const std::uint64_t cached = count_field(tokens, "cached", bad);
    const std::uint64_t output = count_field(tokens, "output", bad);
    const std::uint64_t thoughts = count_field(tokens, "thoughts", bad);
    const auto time = parse_time_ns(value["timestamp"].as_string().value_or(""));
    if (bad || cached > input || !time) {
      sink.skip(element.line, "a message without a time or with counts that are no counts");
      return;
    }
    domain::UsageRecord record;
    record.usage.input_uncached = input - cached;
    record.usage.cache_read = cached;
    record.usage.output = output + thoughts;
    record.usage.reasoning = thoughts;
    if (record.usage.total() == 0) return;
    record.format = kName;
    record.provider = "google";
    record.model = text_of(value, "model");
    record.start_unix_ns = record.end_unix_ns = *time;
    record.requests = 1;
    record.application = kName;
    record.session = session_;
    record.line = element.line;
    record.source_id = text_of(value, "id");
    if (record.source_id.empty()) {
      const std::string parts[] = {std::to_string(*time), record.model, std::to_string(input)};
      record.source_id = identity_of(parts);
    }
    sink.usage(std::move(record));
  }

  void read_sum(Value run, std::string_view model, Value stats, std::uint64_t line, Sink& sink) {
    const Value tokens = stats["tokens"];
    bool bad = !tokens.is_object();
    const std::uint64_t prompt = count_field(tokens, "prompt", bad);
    const std::uint64_t cached = count_field(tokens, "cached", bad);
    const std::uint64_t thoughts = count_field(tokens, "thoughts", bad);
    domain::UsageRecord record;
    record.usage.output = count_field(tokens, "candidates", bad) + thoughts;
    record.requests = count_field(stats["api"], "totalRequests", bad);
    if (bad || cached > prompt || file_unix_ns_ == 0) {
      sink.skip(line, "a run's sum without a time or with counts that are no counts");
      return;
    }
    record.usage.input_uncached = prompt - cached;
    record.usage.cache_read = cached;
    record.usage.reasoning = thoughts;
    if (record.usage.total() == 0) return;
    record.format = kName;
    record.provider = "google";
    record.model = name_of(model);
    record.granularity = domain::Granularity::Minute;
    record.start_unix_ns = file_unix_ns_;
    record.end_unix_ns = file_unix_ns_ + 60 * kSecondNs;
    record.application = kName;
    record.session = text_of_any(run, {"session_id", "sessionId"});
    record.line = line;
    const std::string parts[] = {record.session,
                                 record.model,
                                 std::to_string(*record.requests),
                                 std::to_string(prompt),
                                 std::to_string(cached),
                                 std::to_string(record.usage.output),
                                 std::to_string(thoughts),
                                 std::string(number_text(stats["api"]["totalLatencyMs"]))};
    record.source_id = identity_of(parts);
    sink.usage(std::move(record));
  }

  std::string session_;
  std::int64_t file_unix_ns_;
};

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  const bool model =
      contains(head, "\"type\": \"gemini\"") || contains(head, "\"type\":\"gemini\"");
  if (model && contains(head, "\"tokens\"")) return 94;
  if (has_member(head, "models", "{") && has_member(head, "totalRequests") &&
      has_member(head, "candidates")) {
    return 85;
  }
  return contains(head, "\"projectHash\"") && contains(head, "\"sessionId\"") ? 60 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  return std::make_unique<Conversation>(std::max<std::int64_t>(hint.modified_unix_ns, 0));
}

}  // namespace

const Format& gemini_cli_format() {
  static constexpr Format kFormat{kName, "Gemini CLI conversation", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
