// AWS Cost and Usage Reports. A line item's own identity is not used: it is another one in every
// delivery of the same month.

#include "importers/aws_cur.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "codec/json_scan.h"
#include "importers/csv_kinds.h"
#include "importers/csv_table.h"
#include "importers/names.h"
#include "importers/token_meter.h"

namespace fh::importers {
namespace {

constexpr std::string_view kName = "aws-cur";

struct CurColumns {
  Column start, end, type, product, usage_type, amount, cost, currency, description;
  Column account, region, product_name, product_model, products, unit, list;
  Column savings, reservation;
};

// The names of both versions come down to these by column_key.
CurColumns columns_of(const CsvHeader& header) {
  CurColumns c;
  const auto named = [&](std::string_view name, std::initializer_list<std::string_view> keys) {
    return Column{header.find(keys).index, name};
  };
  c.start = named("UsageStartDate", {"lineitem_usagestartdate", "line_item_usage_start_date"});
  c.end = named("UsageEndDate", {"lineitem_usageenddate", "line_item_usage_end_date"});
  c.type = header.find({"lineitem_lineitemtype", "line_item_line_item_type"});
  c.product = header.find({"lineitem_productcode", "line_item_product_code"});
  c.usage_type = header.find({"lineitem_usagetype", "line_item_usage_type"});
  c.amount = named("UsageAmount", {"lineitem_usageamount", "line_item_usage_amount"});
  c.cost = named("UnblendedCost", {"lineitem_unblendedcost", "line_item_unblended_cost"});
  c.currency = header.find({"lineitem_currencycode", "line_item_currency_code"});
  c.description = header.find({"lineitem_lineitemdescription", "line_item_line_item_description"});
  c.account = header.find({"lineitem_usageaccountid", "line_item_usage_account_id"});
  c.region = header.find({"product_regioncode", "product_region_code", "product_region"});
  c.product_name = header.find({"product_productname", "product_product_name"});
  c.product_model = header.find({"product_model"});
  c.products = header.find({"product"});  // a map, as JSON
  c.unit = header.find({"pricing_unit"});
  c.list =
      named("publicOnDemandCost", {"pricing_publicondemandcost", "pricing_public_on_demand_cost"});
  c.savings = named("SavingsPlanEffectiveCost", {"savingsplan_savingsplaneffectivecost",
                                                 "savings_plan_savings_plan_effective_cost"});
  c.reservation =
      named("EffectiveCost", {"reservation_effectivecost", "reservation_effective_cost"});
  return c;
}

bool is_report(const CurColumns& c) {
  return c.start && c.cost && (c.usage_type || c.product);
}

// What names a line: the columns of its identity, without underscores, in which the versions of the
// report differ. Left apart are amounts, what changes with a new delivery (line item, invoice,
// rates), and tags and cost categories: activating one adds a column to deliveries of months past.
constexpr std::string_view kIdentityKeys[] = {
    "billbilltype",
    "billbillingentity",
    "billpayeraccountid",
    "lineitemavailabilityzone",
    "lineitemlineitemdescription",
    "lineitemlineitemtype",
    "lineitemoperation",
    "lineitemproductcode",
    "lineitemresourceid",
    "lineitemtaxtype",
    "lineitemusageaccountid",
    "lineitemusageenddate",
    "lineitemusagestartdate",
    "lineitemusagetype",
    "pricingrateid",
};

bool is_usage(std::string_view type) {
  return type.empty() || type == "Usage" || type == "DiscountedUsage" ||
         type == "SavingsPlanCoveredUsage";
}

// A text of the product map; empty when it is not there.
std::string product_text(std::string_view map, std::initializer_list<std::string_view> keys) {
  for (const std::string_view wanted : keys) {
    codec::json::Scanner scan(map);
    std::string_view key;
    if (!scan.open_object()) return {};
    while (scan.next_key(key)) {
      const std::string_view raw = scan.value();
      if (key == wanted && scan.ok()) return name_of(codec::json::string_of(raw).value_or(""));
    }
  }
  return {};
}

// What is the same in all lines of a usage type.
struct Meter {
  TokenMeter tokens;
  std::string region;
  bool bedrock = false;       // AI use of some kind: lines that are no tokens are worth a word
  const char* why = nullptr;  // why its quantity is not taken as tokens
};

class CurImporter final : public BillImporter {
 public:
  using BillImporter::BillImporter;

 protected:
  base::Status header(const CsvHeader& header) override {
    columns_ = columns_of(header);
    if (!is_report(columns_)) {
      return base::fail(base::Code::InvalidArgument,
                        "columns of an AWS cost and usage report are missing");
    }
    for (std::size_t i = 0; i < header.size(); ++i) {
      std::string key = header.keys()[i];
      std::erase(key, '_');
      if (std::ranges::find(kIdentityKeys, key) == std::end(kIdentityKeys)) continue;
      identity_.add({static_cast<int>(i), header.keys()[i]}, std::move(key));
    }
    return {};
  }

  HabitColumns habit_columns() const override {
    const auto& c = columns_;
    return {{c.cost.index, c.list.index, c.savings.index, c.reservation.index, c.amount.index},
            {c.start.index, c.end.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    const Meter& meter = meter_of(cells);
    domain::CostRecord& cost = next_cost();
    read_cost(cells, meter, cost);
    if (!cells.ok()) return;
    const bool tokens = take_tokens(cells, meter, cost);
    if (is_foreign(cells, columns_.currency)) return emit_tokens(cells, sink, tokens, identity_);
    emit(sink, tokens ? Give::Both : Give::Cost, identity_.of(cells));
  }

 private:
  void read_cost(Cells& cells, const Meter& meter, domain::CostRecord& cost) const {
    name_to(kName, cost.format);
    name_to(meter.bedrock ? "aws-bedrock" : "aws", cost.provider);
    cost.line = cells.line();
    name_to(meter.tokens.model, cost.model);
    const bool described = !cells.text(columns_.description).empty();
    cells.name_to(described ? columns_.description : columns_.usage_type, cost.item);
    cells.name_to(columns_.product, cost.service);
    cells.name_to(columns_.account, cost.workspace);
    const auto start = cells.time_ns(columns_.start);
    const auto end = cells.time_ns(columns_.end);
    if (!start) cells.fail("the line has no UsageStartDate");
    cost.start_unix_ns = start.value_or(0);
    cost.end_unix_ns = end.value_or(cost.start_unix_ns);
    if (cost.end_unix_ns < cost.start_unix_ns) cells.fail("the usage ends before it begins");
    const auto billed = cells.usd_exact(columns_.cost, cost.billed_exact);
    if (!billed) cells.fail("the line has no UnblendedCost");
    cost.billed = billed.value_or(domain::MicroUsd{});
    cost.list = cells.usd(columns_.list);
    const std::string_view type = cells.text(columns_.type);
    cost.effective_exact.clear();
    if (type == "SavingsPlanCoveredUsage") {
      cost.effective = cells.usd_exact(columns_.savings, cost.effective_exact);
    } else if (type == "DiscountedUsage") {
      cost.effective = cells.usd_exact(columns_.reservation, cost.effective_exact);
    }
    cells.name_to(columns_.unit, cost.quantity_unit);
    if (const std::string_view quantity = cells.number(columns_.amount); !quantity.empty()) {
      cost.quantity = parse_real(quantity);
      if (!cost.quantity) cells.fail("UsageAmount is not a number");
    }
  }

  // The usage record of a line that counts tokens. False: it does not, or not all of it is told.
  bool take_tokens(Cells& cells, const Meter& meter, const domain::CostRecord& cost) {
    if (!is_usage(cells.text(columns_.type))) return false;
    if (meter.why != nullptr) {
      cells.fail(meter.why);
      return false;
    }
    if (meter.tokens.unit == 0) return false;
    const std::string_view amount = cells.number(columns_.amount);
    if (amount.empty()) {
      cells.fail("the line has no UsageAmount: only its cost is kept");
      return false;
    }
    const auto tokens = parse_count_in_units(amount, meter.tokens.unit);
    if (!tokens || *tokens > kCountMax) {
      cells.fail("the token quantity is not a believable count: only the cost is kept");
      return false;
    }
    if (*tokens == 0) return false;
    domain::UsageRecord& record = next_usage();
    add_tokens(record.usage, meter.tokens.kind, *tokens);
    name_to(cost.format, record.format);
    name_to(cost.provider, record.provider);
    name_to(cost.model, record.model);
    record.start_unix_ns = cost.start_unix_ns;
    record.end_unix_ns = cost.end_unix_ns;
    record.granularity = granularity_of(cost.end_unix_ns - cost.start_unix_ns);
    record.tier = meter.tokens.tier;
    name_to(meter.region, record.region);
    name_to(cost.workspace, record.workspace);
    if (!is_foreign(cells, columns_.currency)) {
      record.reported_cost = cost.billed;
      record.cost_kind = domain::CostKind::Billed;
    }
    record.line = cost.line;
    return true;
  }

  const Meter& meter_of(const Cells& cells) {
    return meters_.of(cells,
                      {columns_.usage_type, columns_.product, columns_.product_name,
                       columns_.product_model, columns_.products, columns_.unit, columns_.region},
                      [&] { return read_meter(cells); });
  }

  Meter read_meter(const Cells& cells) const {
    const std::string_view usage_type = cells.text(columns_.usage_type);
    const std::string_view map = cells.text(columns_.products);
    std::string product = cells.name(columns_.product_name);
    if (product.empty()) product = product_text(map, {"product_name", "productName"});
    std::string model = cells.name(columns_.product_model);
    if (model.empty()) model = product_text(map, {"model"});
    Meter meter;
    const std::string names = lowered(std::string(cells.text(columns_.product)) + ' ' + product);
    meter.bedrock = contains(names, "bedrock");
    if (const auto tokens = parse_usage_type(usage_type)) {
      meter.tokens = *tokens;
      meter.bedrock = true;
      // A unit that names tokens says more than the family of the usage type.
      const std::uint64_t unit = token_unit(cells.text(columns_.unit));
      if (unit != 0) meter.tokens.unit = unit;
      // Marketplace lines name the model in the product only.
      if (meter.tokens.model.empty()) meter.tokens.model = model;
      if (meter.tokens.model.empty()) meter.tokens.model = product;
      if (meter.tokens.model.empty()) {
        meter.why = "the line does not name the model of its tokens: only the cost is kept";
      }
    } else if (contains(lowered(usage_type), "token")) {
      meter.why = "the usage type does not say which tokens it counts: only the cost is kept";
    } else if (meter.bedrock) {
      meter.why = "a Bedrock line that does not count tokens: only the cost is kept";
    }
    meter.region = meter.tokens.global ? "global" : cells.name(columns_.region);
    if (meter.region.empty()) meter.region = product_text(map, {"region_code", "region"});
    return meter;
  }

  CurColumns columns_;
  IdentityColumns identity_;
  RowKinds<Meter> meters_;
};

int recognise(const FileHint& hint) {
  return is_report(columns_of(header_of(hint.head))) ? 98 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& /*options*/) {
  return std::make_unique<CurImporter>(hint.head);
}

}  // namespace

const Format& aws_cur_format() {
  static constexpr Format kFormat{kName, "AWS Cost and Usage Report", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
