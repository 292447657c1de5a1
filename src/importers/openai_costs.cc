// OpenAI organization costs (GET /v1/organization/costs): dollars as a JSON number, read from its
// own text. A line item that names a model begins with it: "gpt-6.1-sol, input".

#include "importers/openai_costs.h"

#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Value;

constexpr std::string_view kName = "openai-costs";
constexpr std::string_view kLists[] = {"data"};
constexpr std::string_view kNotIdentity[] = {"amount"};

void read_result(Value result, const domain::CostRecord& bucket, Sink& sink) {
  const Value amount = result["amount"];
  if (!amount.is_object()) {
    sink.skip(bucket.line, "a result without an amount");
    return;
  }
  const std::string currency = lowered(text_of(amount, "currency"));
  if (!currency.empty() && currency != "usd") {
    sink.skip(bucket.line, "an amount in another currency than USD");
    return;
  }
  const auto billed = parse_usd(number_text(amount["value"]));
  if (!billed) {
    sink.skip(bucket.line, "an amount that is no number");
    return;
  }
  domain::CostRecord record = bucket;
  record.billed = *billed;
  record.item = text_of(result, "line_item");
  const std::size_t comma = record.item.find(", ");
  if (comma != std::string::npos) record.model = record.item.substr(0, comma);
  record.workspace = text_of(result, "project_id");
  if (result["quantity"].is_number()) record.quantity = result["quantity"].as_double();
  record.source_id = bucket_identity(
      result, std::to_string(bucket.start_unix_ns) + '-' + std::to_string(bucket.end_unix_ns),
      kNotIdentity);
  sink.cost(std::move(record));
}

class CostsImporter final : public ElementImporter {
 public:
  CostsImporter() : ElementImporter(kLists) {}

 private:
  void row(Value value, const Element& element, Sink& sink) override {
    const auto start = parse_time_ns(number_text(value["start_time"]));
    const auto end = parse_time_ns(number_text(value["end_time"]));
    if (!start || (end && *end <= *start)) {
      sink.skip(element.line, "a bucket without a time that can be read");
      return;
    }
    const Value list = value["results"].exists() ? value["results"] : value["result"];
    if (!list.is_array()) {
      sink.skip(element.line, "a bucket without a list of results");
      return;
    }
    domain::CostRecord bucket;
    bucket.format = kName;
    bucket.provider = "openai";
    bucket.start_unix_ns = *start;
    bucket.end_unix_ns = end.value_or(*start + kDayNs);
    bucket.line = element.line;
    for (const Value result : list.elements()) read_result(result, bucket, sink);
  }
};

int recognise(const FileHint& hint) {
  if (contains(hint.head, "\"organization.costs.result\"")) return 98;
  return contains(hint.head, "\"line_item\"") && contains(hint.head, "\"start_time\"") ? 70 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<CostsImporter>();
}

}  // namespace

const Format& openai_costs_format() {
  static constexpr Format kFormat{kName, "OpenAI organization costs", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
