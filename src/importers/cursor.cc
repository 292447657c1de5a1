// Cursor usage: its CSV, of which a row is checked against its own total before it is believed, and
// the events that its team API answers.

#include "importers/cursor.h"

#include <algorithm>

#include "base/clock.h"
#include "importers/csv_table.h"
#include "importers/elements.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

struct CursorColumns {
  Column date, user, kind, model, agent, automation;
  Column with_write, without_write, cache_read, output, total;
  Column cost_to_you, cost;
};

CursorColumns columns_of(const CsvHeader& header) {
  CursorColumns c;
  c.date = header.find({"date", "timestamp", "time"});
  c.user = header.find({"user", "user_email", "email"});
  c.kind = header.find({"kind", "type"});
  c.model = header.find({"model"});
  c.agent = header.find({"cloud_agent_id"});
  c.automation = header.find({"automation_id"});
  c.with_write = header.find({"input_w_cache_write", "input_with_cache_write"});
  c.without_write = header.find({"input_w_o_cache_write", "input_without_cache_write"});
  c.cache_read = header.find({"cache_read", "cache_read_tokens"});
  c.output = header.find({"output_tokens", "output"});
  c.total = header.find({"total_tokens", "total", "tokens"});
  c.cost_to_you = header.find({"cost_to_you", "cost_to_you_usd"});
  c.cost = header.find({"cost", "cost_usd", "api_cost"});
  return c;
}

bool has_cursor_columns(const CsvHeader& header) {
  const CursorColumns c = columns_of(header);
  return c.date && c.model && c.with_write && c.without_write && c.output;
}

bool has_word(std::string_view text, std::string_view word) {
  return contains(lowered(text), word);
}

// The speed in a model name changes its price; in Grok's names "fast" is the model itself.
bool is_fast(std::string_view model) {
  if (!contains(model, "-fast") || contains(model, "grok")) return false;
  return model.ends_with("-fast") || contains(model, "-fast-");
}

bool is_covered(std::string_view kind) {
  return has_word(kind, "included") || has_word(kind, "free") || has_word(kind, "no charge") ||
         has_word(kind, "not charged") || has_word(kind, "not_charged");
}

bool may_be_amount(char first) {
  return (first >= '0' && first <= '9') || first == '$' || first == '.' || first == '-';
}

// What the cost cell says: a word for what the plan covers, or dollars.
void read_cost(Cells& cells, const CursorColumns& c, domain::UsageRecord& record) {
  const Column column =
      c.cost_to_you && !cells.text(c.cost_to_you).empty() ? c.cost_to_you : c.cost;
  const std::string_view cell = cells.text(column);
  if (cell.empty() || cell == "-") return;
  if (!may_be_amount(cell.front()) && (has_word(cell, "included") || has_word(cell, "free"))) {
    record.cost_kind = domain::CostKind::Included;
    return;
  }
  const auto amount = cells.usd(column);
  if (!amount) return;
  record.reported_cost = amount;
  record.cost_kind =
      is_covered(cells.text(c.kind)) ? domain::CostKind::Included : domain::CostKind::Billed;
}

class CursorImporter final : public CsvImporter {
 public:
  using CsvImporter::CsvImporter;

 protected:
  base::Status header(const CsvHeader& header) override {
    columns_ = columns_of(header);
    if (!has_cursor_columns(header)) {
      return base::fail(base::Code::InvalidArgument,
                        "columns of a Cursor usage export are missing");
    }
    return {};
  }

  HabitColumns habit_columns() const override {
    const auto& c = columns_;
    return {{c.cost_to_you.index, c.cost.index},
            {c.date.index},
            {c.with_write.index, c.without_write.index, c.cache_read.index, c.output.index,
             c.total.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    domain::UsageRecord& record = next_usage();
    name_to(cursor_format().name, record.format);
    record.line = cells.line();
    const auto time = cells.time_ns(columns_.date);
    if (!time && cells.ok()) cells.fail("the row has no date");
    record.start_unix_ns = record.end_unix_ns = time.value_or(0);
    cells.name_to(columns_.model, record.model);
    cells.name_to(columns_.user, record.user);
    cells.name_to(columns_.agent, record.session);
    record.workload = cells.text(columns_.automation).empty() ? "" : "automation";
    record.requests = 1;
    record.tier = is_fast(record.model) ? domain::ServiceTier::Fast : domain::ServiceTier::Standard;
    read_tokens(cells, record);
    read_cost(cells, columns_, record);
    if (!cells.ok()) return;
    emit(sink, Give::Usage,
         {cells.text(columns_.date), cells.text(columns_.user), cells.text(columns_.agent),
          cells.text(columns_.automation), cells.text(columns_.model)});
  }

 private:
  void read_tokens(Cells& cells, domain::UsageRecord& record) {
    domain::Usage& usage = record.usage;
    const std::uint64_t with = cells.count(columns_.with_write);
    const std::uint64_t without = cells.count(columns_.without_write);
    usage.cache_read = cells.count(columns_.cache_read);
    usage.output = cells.count(columns_.output);
    const auto total = cells.count_if_told(columns_.total);
    if (!cells.ok()) return;
    usage.input_uncached = without;
    usage.cache_write_5m = with;
    if (usage.total() == 0 && total.value_or(0) == 0) {
      return cells.fail("the row has no token counts");
    }
    if (!total || usage.total() == *total) return;
    if (with >= without) {  // the older reading: the first amount contains the second
      usage.cache_write_5m = with - without;
      if (usage.total() == *total) return;
    }
    cells.fail("the token columns do not add up to Total Tokens");
  }

  CursorColumns columns_;
};

constexpr std::string_view kListKeys[] = {"usageEvents", "usageEventsDisplay"};

// {"timestamp":"1750979225854","model","kind","userEmail","tokenUsage":{"inputTokens",
//  "outputTokens","cacheWriteTokens","cacheReadTokens","totalCents"}}
class EventImporter final : public ElementImporter {
 public:
  EventImporter() : ElementImporter(kListKeys) {}

 protected:
  void row(codec::json::Value value, const Element& element, Sink& sink) override {
    domain::UsageRecord record;
    const auto time = parse_time_ns(number_text(value["timestamp"]));
    if (!time) return sink.skip(element.line, "an event without a time that can be read");
    const codec::json::Value tokens = value["tokenUsage"];
    bool bad = false;
    record.usage.input_uncached = count_field(tokens, "inputTokens", bad);
    record.usage.cache_write_5m = count_field(tokens, "cacheWriteTokens", bad);
    record.usage.cache_read = count_field(tokens, "cacheReadTokens", bad);
    record.usage.output = count_field(tokens, "outputTokens", bad);
    if (bad) return sink.skip(element.line, "a token count that is no count");
    if (record.usage.total() == 0) return sink.skip(element.line, "the event has no token counts");
    record.format = cursor_format().name;
    record.start_unix_ns = record.end_unix_ns = *time;
    record.requests = 1;
    record.model = text_of(value, "model");
    record.user = text_of_any(value, {"userEmail", "email"});
    record.session = text_of(value, "cloudAgentId");
    record.tier = is_fast(record.model) ? domain::ServiceTier::Fast : domain::ServiceTier::Standard;
    record.line = element.line;
    const std::string kind = text_of(value, "kind");
    const auto charged = parse_cents(number_text(value["chargedCents"]));
    record.reported_cost = charged ? charged : parse_cents(number_text(tokens["totalCents"]));
    if (is_covered(kind)) {
      record.cost_kind = domain::CostKind::Included;
    } else if (record.reported_cost) {
      record.cost_kind = charged ? domain::CostKind::Billed : domain::CostKind::Estimate;
    }
    const std::string at = base::format_rfc3339(*time);  // as the CSV has it: the same event
    const std::string automation = text_of(value, "automationId");
    identity_.to(record.source_id, {at, record.user, record.session, automation, record.model},
                 element.line);
    sink.usage(std::move(record));
  }

 private:
  RowIdentity identity_;
};

bool is_events(std::string_view head) {
  return has_member(head, "usageEvents", "[") || has_member(head, "usageEventsDisplay", "[") ||
         (has_member(head, "tokenUsage", "{") && has_member(head, "cacheReadTokens") &&
          has_member(head, "timestamp"));
}

bool is_json(std::string_view head) {
  const std::string_view start = trimmed(head.substr(0, std::min<std::size_t>(head.size(), 4096)));
  return !start.empty() && (start.front() == '{' || start.front() == '[');
}

int recognise(const FileHint& hint) {
  if (is_json(hint.head)) return is_events(hint.head) ? 85 : 0;
  return has_cursor_columns(header_of(hint.head)) ? 98 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& /*options*/) {
  if (is_json(hint.head)) return std::make_unique<EventImporter>();
  return std::make_unique<CursorImporter>(hint.head);
}

}  // namespace

const Format& cursor_format() {
  static constexpr Format kFormat{"cursor", "Cursor usage export", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
