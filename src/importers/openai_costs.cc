// OpenAI organization costs (GET /v1/organization/costs): dollars as a JSON number, read from its
// own text. A line item that names a model begins with it: "gpt-6.1-sol, input".

#include "importers/openai_costs.h"

#include "importers/names.h"
#include "importers/numbers.h"
#include "importers/openai_report.h"

namespace fh::importers {
namespace openai {
namespace {

using codec::json::Value;

constexpr std::string_view kName = "openai-costs";
constexpr std::string_view kNotIdentity[] = {"amount"};

}  // namespace

void read_cost(Value result, const Bucket& bucket, Sink& sink) {
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
  domain::CostRecord record;
  record.format = kName;
  record.provider = "openai";
  record.start_unix_ns = bucket.start_unix_ns;
  record.end_unix_ns = bucket.end_unix_ns;
  record.line = bucket.line;
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

}  // namespace openai

namespace {

int recognise(const FileHint& hint) {
  if (contains(hint.head, "\"organization.costs.result\"")) return 98;
  return contains(hint.head, "\"line_item\"") && contains(hint.head, "\"start_time\"") ? 70 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<openai::ReportImporter>();
}

}  // namespace

const Format& openai_costs_format() {
  static constexpr Format kFormat{openai::kName, "OpenAI organization costs", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
