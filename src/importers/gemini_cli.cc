// Gemini CLI conversations, tmp/<project>/chats/*.{json,jsonl} under ~/.gemini: one object with a
// list of messages, or one message per line. A model's message carries
// tokens{input,output,cached,thoughts,tool,total}; cached tokens are a part of the input, thoughts
// are billed as output beside it. A message that is written again has the same id and its last
// state: the larger total wins.

#include "importers/gemini_cli.h"

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
  Conversation() : ElementImporter(kLists) {}

 private:
  void row(Value value, const Element& element, Sink& sink) override {
    if (value["sessionId"].is_string()) session_ = text_of(value, "sessionId");
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

  std::string session_;
};

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  const bool model =
      contains(head, "\"type\": \"gemini\"") || contains(head, "\"type\":\"gemini\"");
  if (model && contains(head, "\"tokens\"")) return 94;
  return contains(head, "\"projectHash\"") && contains(head, "\"sessionId\"") ? 60 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<Conversation>();
}

}  // namespace

const Format& gemini_cli_format() {
  static constexpr Format kFormat{kName, "Gemini CLI conversation", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
