// Cost rows of Anthropic's endpoints. An amount is a decimal text in CENTS: "123.45" is $1.2345.
// The analytics endpoints tell the price before discounts too.

#include "importers/anthropic_cost.h"

#include "importers/anthropic_report.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace anthropic {
namespace {

constexpr std::string_view kName = "anthropic-cost";
constexpr std::string_view kNotIdentity[] = {
    "data_refreshed_at", "starting_at", "ending_at", "date", "amount", "list_amount"};

bool is_dollar(codec::json::Value row) {
  const std::string currency = lowered(text_of(row, "currency"));
  return currency.empty() || currency == "usd";
}

}  // namespace

void read_cost(codec::json::Value row, const Bucket& bucket, std::uint64_t line, Sink& sink) {
  if (!is_dollar(row)) {
    sink.skip(line, "an amount in another currency than USD");
    return;
  }
  const auto amount = parse_cents(number_text(row["amount"]));
  if (!amount) {
    sink.skip(line, "an amount that is no number");
    return;
  }
  domain::CostRecord record;
  record.billed = *amount;
  if (row["list_amount"].exists()) record.list = parse_cents(number_text(row["list_amount"]));
  record.format = kName;
  record.provider = "anthropic";
  record.model = text_of(row, "model");
  record.item = text_of_any(row, {"token_type", "description", "cost_type"});
  record.service = text_of_any(row, {"cost_type", "product"});
  record.workspace = text_of(row, "workspace_id");
  record.start_unix_ns = bucket.start_unix_ns;
  record.end_unix_ns = bucket.end_unix_ns;
  record.line = line;
  record.source_id = bucket_identity(
      row, std::to_string(bucket.start_unix_ns) + '-' + std::to_string(bucket.end_unix_ns),
      kNotIdentity);
  sink.cost(std::move(record));
}

}  // namespace anthropic

namespace {

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  if (contains(head, "\"model_breakdown\"")) return 0;
  if (!contains(head, "\"amount\"") || !contains(head, "\"starting_at\"")) return 0;
  return contains(head, "\"cost_type\"") || contains(head, "\"list_amount\"") ? 92 : 70;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<anthropic::ReportImporter>();
}

}  // namespace

const Format& anthropic_cost_format() {
  static constexpr Format kFormat{anthropic::kName, "Anthropic cost report", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
