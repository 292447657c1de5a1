// Cost rows of Anthropic's endpoints. An amount is a decimal text in CENTS: "123.45" is $1.2345. It
// stands in the row, or in an object that holds it with its currency: {"value","currency"} or, in
// the unified analytics, {"amount","currency","list_amount"}; the unit is the same. The analytics
// endpoints tell the price before discounts too, and may group what names the row in an object.

#include "importers/anthropic_cost.h"

#include "importers/anthropic_report.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace anthropic {
namespace {

constexpr std::string_view kName = "anthropic-cost";
constexpr std::string_view kNotIdentity[] = {
    "data_refreshed_at", "starting_at", "ending_at", "date", "amount", "list_amount", "cost"};

bool is_dollar(codec::json::Value holder) {
  const std::string currency = lowered(text_of(holder, "currency"));
  return currency.empty() || currency == "usd";
}

// A cent amount as a text, a number or in an object of its own; nullopt: no number, or (with
// `foreign` set) of another currency than USD.
std::optional<domain::MicroUsd> cents_of(codec::json::Value amount, bool& foreign) {
  if (!amount.is_object()) return parse_cents(number_text(amount));
  foreign = foreign || !is_dollar(amount);
  const codec::json::Value value = amount["value"];
  return parse_cents(number_text(value.exists() ? value : amount["amount"]));
}

}  // namespace

void read_cost(codec::json::Value row, const Bucket& bucket, std::uint64_t line, Sink& sink) {
  const codec::json::Value cost = row["cost"];
  const codec::json::Value holder = cost.is_object() ? cost : row;
  const codec::json::Value group = row["group"];
  const codec::json::Value names = group.is_object() ? group : row;
  bool foreign = !is_dollar(holder);
  const codec::json::Value amount = holder["amount"];
  const auto billed = cents_of(amount.exists() ? amount : holder, foreign);
  domain::CostRecord record;
  const codec::json::Value list = holder["list_amount"];
  if (list.exists()) record.list = cents_of(list, foreign);
  if (foreign) {
    sink.skip(line, "an amount in another currency than USD");
    return;
  }
  if (!billed) {
    sink.skip(line, "an amount that is no number");
    return;
  }
  record.billed = *billed;
  record.format = kName;
  record.provider = "anthropic";
  record.model = text_of(names, "model");
  record.item = text_of_any(names, {"token_type", "description", "cost_type"});
  record.service = text_of_any(names, {"cost_type", "product"});
  record.workspace = text_of(names, "workspace_id");
  record.start_unix_ns = bucket.start_unix_ns;
  record.end_unix_ns = bucket.end_unix_ns;
  record.line = line;
  // The currency of an amount that is an object stands in the row when it is a text.
  const bool inside =
      !row["currency"].exists() && (holder["currency"].exists() || amount["currency"].exists());
  record.source_id = bucket_identity(
      row, std::to_string(bucket.start_unix_ns) + '-' + std::to_string(bucket.end_unix_ns),
      kNotIdentity, inside ? "currency=USD" : "");
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
