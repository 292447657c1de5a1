// OpenRouter activity: generations as CSV, days as JSON.

#include "importers/openrouter.h"

#include <algorithm>

#include "importers/csv_table.h"
#include "importers/elements.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

using codec::json::Value;

constexpr std::string_view kProvider = "openrouter";

// Cached tokens stand inside the prompt and reasoning inside the completion. Numbers that
// contradict this are refused by the caller (false).
bool set_usage(domain::Usage& usage, std::uint64_t prompt, std::uint64_t cached,
               std::uint64_t completion, std::uint64_t reasoning) {
  if (cached > prompt || reasoning > completion) return false;
  usage.input_uncached = prompt - cached;
  usage.cache_read = cached;
  usage.output = completion;
  usage.reasoning = reasoning;
  return true;
}

struct GenerationColumns {
  Column id, created, cost, prompt, completion, reasoning, cached, model, provider, variant;
  Column user, generation_ms, first_token_ms, key, app, streamed;
};

GenerationColumns columns_of(const CsvHeader& header) {
  GenerationColumns c;
  c.id = header.find({"generation_id", "id"});
  c.created = header.find({"created_at"});
  c.cost = header.find({"cost_total", "total_cost", "usage"});
  c.prompt = header.find({"tokens_prompt"});
  c.completion = header.find({"tokens_completion"});
  c.reasoning = header.find({"tokens_reasoning"});
  c.cached = header.find({"tokens_cached"});
  c.model = header.find({"model_permaslug", "model"});
  c.provider = header.find({"provider_name"});
  c.variant = header.find({"variant"});
  c.user = header.find({"user"});
  c.generation_ms = header.find({"generation_time_ms"});
  c.first_token_ms = header.find({"time_to_first_token_ms"});
  c.key = header.find({"api_key_name"});
  c.app = header.find({"app_name"});
  c.streamed = header.find({"streamed"});
  return c;
}

bool is_generations(const CsvHeader& header) {
  return header.has_all({"generation_id", "created_at", "tokens_prompt", "tokens_completion"});
}

class GenerationImporter final : public CsvImporter {
 public:
  using CsvImporter::CsvImporter;

 protected:
  base::Status header(const CsvHeader& header) override {
    columns_ = columns_of(header);
    if (!is_generations(header)) {
      return base::fail(base::Code::InvalidArgument,
                        "columns of an OpenRouter activity export are missing");
    }
    return {};
  }

  HabitColumns habit_columns() const override {
    const auto& c = columns_;
    return {{c.cost.index, c.generation_ms.index, c.first_token_ms.index},
            {c.created.index},
            {c.prompt.index, c.completion.index, c.cached.index, c.reasoning.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    domain::UsageRecord& record = next_usage();
    name_to(openrouter_format().name, record.format);
    name_to(kProvider, record.provider);
    record.line = cells.line();
    record.requests = 1;
    cells.name_to(columns_.id, record.source_id);
    if (record.source_id.empty()) cells.fail("the row has no generation_id");
    read_times(cells, record);
    cells.name_to(columns_.model, record.model);
    const std::string_view variant = cells.text(columns_.variant);
    if (!variant.empty() && variant != "standard" && !contains(record.model, ":")) {
      record.model += ":" + name_of(variant);
    }
    cells.name_to(columns_.user, record.user);
    cells.name_to(columns_.key, record.key);
    cells.name_to(columns_.app, record.application);
    const std::uint64_t prompt = cells.count(columns_.prompt);
    const std::uint64_t completion = cells.count(columns_.completion);
    const std::uint64_t cached = cells.count(columns_.cached);
    if (!set_usage(record.usage, prompt, cached, completion, cells.count(columns_.reasoning))) {
      cells.fail("cached tokens exceed the prompt, or reasoning tokens the completion");
    }
    record.reported_cost = cells.usd(columns_.cost);
    if (record.reported_cost) record.cost_kind = domain::CostKind::Billed;
    if (cells.ok()) emit(sink, Give::Usage);
  }

 private:
  void read_times(Cells& cells, domain::UsageRecord& record) {
    const auto created = cells.time_ns(columns_.created);
    if (!created) cells.fail("the row has no created_at");
    record.start_unix_ns = record.end_unix_ns = created.value_or(0);
    record.duration_ns = cells.ms_ns(columns_.generation_ms);
    record.ttft_ns = cells.ms_ns(columns_.first_token_ms);
    if (record.duration_ns) record.end_unix_ns += std::min(*record.duration_ns, kDayNs);
  }

  GenerationColumns columns_;
};

constexpr std::string_view kListKeys[] = {"data"};

// {"date","model","model_permaslug","endpoint_id","provider_name","usage","byok_usage_inference",
//  "requests","prompt_tokens","completion_tokens","reasoning_tokens"}
class DailyImporter final : public ElementImporter {
 public:
  DailyImporter() : ElementImporter(kListKeys) {}

 protected:
  void row(Value value, const Element& element, Sink& sink) override {
    domain::UsageRecord record;
    record.format = openrouter_format().name;
    record.provider = kProvider;
    record.line = element.line;
    record.granularity = domain::Granularity::Day;
    const auto day = parse_time_ns(text_of(value, "date"));
    if (!day) return sink.skip(element.line, "date is not a day");
    record.start_unix_ns = *day - *day % kDayNs;
    record.end_unix_ns = record.start_unix_ns + kDayNs;
    record.model = text_of_any(value, {"model_permaslug", "model"});
    bool bad = false;
    record.requests = count_field(value, "requests", bad);
    const std::uint64_t prompt = count_field(value, "prompt_tokens", bad);
    const std::uint64_t completion = count_field(value, "completion_tokens", bad);
    const std::uint64_t reasoning = count_field(value, "reasoning_tokens", bad);
    const std::uint64_t cached = count_field(value, "cached_tokens", bad);
    if (bad) return sink.skip(element.line, "a count is not a believable whole number");
    if (!set_usage(record.usage, prompt, cached, completion, reasoning)) {
      return sink.skip(element.line, "cached tokens exceed the prompt or reasoning the completion");
    }
    if (const Value usage = value["usage"]; usage.exists() && !usage.is_null()) {
      record.reported_cost = parse_usd(number_text(usage));
      if (!record.reported_cost) return sink.skip(element.line, "usage is not an amount of money");
      record.cost_kind = domain::CostKind::Billed;
    }
    const std::string parts[] = {text_of(value, "date"), record.model,
                                 text_of(value, "endpoint_id"), text_of(value, "provider_name")};
    record.source_id = identity_of(parts);
    sink.usage(std::move(record));
  }
};

bool is_daily(std::string_view head) {
  const std::string_view start = trimmed(head.substr(0, std::min<std::size_t>(head.size(), 4096)));
  if (start.empty() || (start.front() != '{' && start.front() != '[')) return false;
  return contains(head, "\"endpoint_id\"") && contains(head, "\"byok_usage_inference\"") &&
         contains(head, "\"prompt_tokens\"");
}

int recognise(const FileHint& hint) {
  if (is_generations(header_of(hint.head))) return 98;
  return is_daily(hint.head) ? 90 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& /*options*/) {
  if (is_daily(hint.head)) return std::make_unique<DailyImporter>();
  return std::make_unique<GenerationImporter>(hint.head);
}

}  // namespace

const Format& openrouter_format() {
  static constexpr Format kFormat{"openrouter", "OpenRouter activity export", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
