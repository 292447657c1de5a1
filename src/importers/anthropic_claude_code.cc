// Claude Code analytics (GET /v1/organizations/usage_report/claude_code): a row per person, day and
// terminal, in it the tokens of each model. The cost is an estimate in cents, never a bill; a
// subscriber's tokens are covered by the seat. The same tokens stand in the messages report of an
// API customer, so a plan counts one of the two.

#include "importers/anthropic_claude_code.h"

#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

constexpr std::string_view kName = "anthropic-claude-code";
constexpr std::string_view kLists[] = {"data"};

// Amount in cents, a text or a number; nullopt when there is none in dollars.
std::optional<domain::MicroUsd> estimate_of(codec::json::Value model) {
  const codec::json::Value cost = model["estimated_cost"];
  const std::string currency = lowered(text_of(cost, "currency"));
  if (!currency.empty() && currency != "usd") return std::nullopt;
  return parse_cents(number_text(cost["amount"]));
}

class ClaudeCodeAnalytics final : public ElementImporter {
 public:
  ClaudeCodeAnalytics() : ElementImporter(kLists) {}

 private:
  void row(codec::json::Value value, const Element& element, Sink& sink) override {
    const auto date = parse_time_ns(value["date"].as_string().value_or(""));
    if (!date) {
      sink.skip(element.line, "a row without a date that can be read");
      return;
    }
    if (!value["model_breakdown"].is_array()) {
      sink.skip(element.line, "a row without a list of models");
      return;
    }
    domain::UsageRecord person;
    person.format = kName;
    person.provider = "anthropic";
    person.start_unix_ns = *date;
    person.end_unix_ns = *date + kDayNs;
    person.granularity = domain::Granularity::Day;
    const codec::json::Value actor = value["actor"];
    person.user = text_of(actor, "email_address");
    person.key = text_of(actor, "api_key_name");
    person.application = "claude-code";
    person.workspace = text_of(value, "organization_id");
    person.line = element.line;
    const std::string customer = text_of(value, "customer_type");
    const std::string terminal = text_of(value, "terminal_type");
    for (const codec::json::Value model : value["model_breakdown"].elements()) {
      domain::UsageRecord record = person;
      record.model = text_of(model, "model");
      const std::string parts[] = {std::to_string(*date), person.user, person.key,
                                   person.workspace,      customer,    terminal,
                                   record.model};
      record.source_id = identity_of(parts);
      read_model(model, customer == "subscription", std::move(record), sink);
    }
  }

  static void read_model(codec::json::Value model, bool subscriber, domain::UsageRecord&& record,
                         Sink& sink) {
    const codec::json::Value tokens = model["tokens"];
    bool bad = false;
    record.usage.input_uncached = count_field(tokens, "input", bad);
    record.usage.cache_read = count_field(tokens, "cache_read", bad);
    record.usage.cache_write_5m = count_field(tokens, "cache_creation", bad);
    record.usage.output = count_field(tokens, "output", bad);
    if (bad || !tokens.is_object()) {
      sink.skip(record.line, "a token count that is no count");
      return;
    }
    record.reported_cost = estimate_of(model);
    if (record.reported_cost) {
      record.cost_kind = subscriber ? domain::CostKind::Included : domain::CostKind::Estimate;
    }
    if (record.usage.total() > 0) sink.usage(std::move(record));
  }
};

int recognise(const FileHint& hint) {
  if (!contains(hint.head, "\"model_breakdown\"")) return 0;
  return contains(hint.head, "\"actor\"") || contains(hint.head, "\"core_metrics\"") ? 96 : 60;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<ClaudeCodeAnalytics>();
}

}  // namespace

const Format& anthropic_claude_code_format() {
  static constexpr Format kFormat{kName, "Claude Code analytics", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
