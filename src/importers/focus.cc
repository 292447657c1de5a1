// FOCUS cost and usage rows.

#include "importers/focus.h"

#include <array>

#include "importers/csv_kinds.h"
#include "importers/csv_table.h"
#include "importers/names.h"
#include "importers/nesting.h"
#include "importers/token_meter.h"

namespace fh::importers {
namespace {

struct FocusColumns {
  Column billed, effective, list, currency, start, end, category, charge_class, description;
  Column provider, service, region, resource, resource_name, sku_meter, sub_account,
      sub_account_name;
  Column consumed, consumed_unit, priced, priced_unit;
  Column usage_type, model, token_kind;                      // vendors' own
  Column input, cache_read, cache_write, output, user, key;  // likewise
};

// What names a row: the columns of its identity. Left apart are amounts, and what is not yet there
// when a month's first rows are delivered or changes later: the invoice and tags.
constexpr std::string_view kIdentityKeys[] = {
    "availabilityzone",
    "billingaccountid",
    "billingperiodend",
    "billingperiodstart",
    "chargecategory",
    "chargeclass",
    "chargedescription",
    "chargefrequency",
    "chargeperiodend",
    "chargeperiodstart",
    "commitmentdiscountid",
    "commitmentdiscountstatus",
    "consumedunit",
    "invoiceissuername",
    "pricingcategory",
    "pricingunit",
    "providername",
    "serviceprovidername",
    "publishername",
    "regionid",
    "resourceid",
    "servicename",
    "skuid",
    "skumeter",
    "skupriceid",
    "subaccountid",
    "x_usagetype",
    "x_tokentype",
    "x_model",
};

FocusColumns columns_of(const CsvHeader& header) {
  FocusColumns c;
  c.billed = {header.find({"billedcost"}).index, "BilledCost"};
  c.effective = {header.find({"effectivecost"}).index, "EffectiveCost"};
  c.list = {header.find({"listcost"}).index, "ListCost"};
  c.currency = header.find({"billingcurrency"});
  c.start = {header.find({"chargeperiodstart"}).index, "ChargePeriodStart"};
  c.end = {header.find({"chargeperiodend"}).index, "ChargePeriodEnd"};
  c.category = header.find({"chargecategory"});
  c.charge_class = header.find({"chargeclass"});
  c.description = header.find({"chargedescription"});
  c.provider = header.find({"serviceprovidername", "providername", "hostprovidername"});
  c.service = header.find({"servicename"});
  c.region = header.find({"regionid", "regionname"});
  c.resource = header.find({"resourceid"});
  c.resource_name = header.find({"resourcename"});
  c.sku_meter = header.find({"skumeter", "x_skumeter", "x_metername", "x_skumetername"});
  c.sub_account = header.find({"subaccountid"});
  c.sub_account_name = header.find({"subaccountname"});
  c.consumed = {header.find({"consumedquantity"}).index, "ConsumedQuantity"};
  c.consumed_unit = header.find({"consumedunit"});
  c.priced = {header.find({"pricingquantity"}).index, "PricingQuantity"};
  c.priced_unit = header.find({"pricingunit"});
  c.usage_type = header.find({"x_usagetype", "x_lineitemusagetype", "x_usage_type"});
  c.model = header.find({"x_model", "x_modelname", "x_modelid", "x_model_name", "x_model_id",
                         "x_aimodel", "x_llmmodel"});
  c.token_kind = header.find({"x_tokentype", "x_token_type", "x_tokenclass"});
  c.input = header.find({"x_inputtokens", "x_input_tokens"});
  c.cache_read = header.find({"x_cachereadtokens", "x_cache_read_tokens", "x_cachedtokens"});
  c.cache_write = header.find({"x_cachewritetokens", "x_cache_write_tokens"});
  c.output = header.find({"x_outputtokens", "x_output_tokens"});
  c.user = header.find({"x_user", "x_userid", "x_user_id"});
  c.key = header.find({"x_apikeyid", "x_api_key_id", "x_apikey"});
  return c;
}

bool is_focus(const CsvHeader& header) {
  return header.has_all({"billedcost", "chargeperiodstart", "chargecategory"}) &&
         (header.has("billingcurrency") || header.has("effectivecost"));
}

class FocusImporter final : public CsvImporter {
 public:
  using CsvImporter::CsvImporter;

 protected:
  base::Status header(const CsvHeader& header) override {
    columns_ = columns_of(header);
    if (!is_focus(header)) {
      return base::fail(base::Code::InvalidArgument, "columns of a FOCUS export are missing");
    }
    for (const std::string_view key : kIdentityKeys) {
      if (const Column column = header.find({key})) identity_.add(column, std::string(key));
    }
    return {};
  }

  HabitColumns habit_columns() const override {
    const auto& c = columns_;
    return {{c.billed.index, c.effective.index, c.list.index, c.consumed.index, c.priced.index},
            {c.start.index, c.end.index},
            {c.input.index, c.cache_read.index, c.cache_write.index, c.output.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    const std::string_view currency = cells.text(columns_.currency);
    if (!currency.empty() && currency != "USD") {
      return cells.fail("the amounts are in another currency than USD");
    }
    domain::CostRecord& cost = next_cost();
    read_cost(cells, cost);
    if (!cells.ok()) return;
    const bool tokens = take_tokens(cells, cost);
    emit(sink, tokens ? Give::Both : Give::Cost, identity_.of(cells));
  }

 private:
  void read_cost(Cells& cells, domain::CostRecord& cost) {
    name_to(focus_format().name, cost.format);
    cost.line = cells.line();
    cells.name_to(columns_.provider, cost.provider);
    cells.name_to(columns_.description, cost.item);
    if (is_correction(cells)) cost.item = name_of(std::string(kCorrection) + cost.item);
    cells.name_to(columns_.service, cost.service);
    const bool named = !cells.text(columns_.sub_account_name).empty();
    cells.name_to(named ? columns_.sub_account_name : columns_.sub_account, cost.workspace);
    const auto start = cells.time_ns(columns_.start);
    const auto end = cells.time_ns(columns_.end);
    if (!start) cells.fail("the row has no ChargePeriodStart");
    cost.start_unix_ns = start.value_or(0);
    cost.end_unix_ns = end.value_or(cost.start_unix_ns);
    if (cost.end_unix_ns < cost.start_unix_ns)
      cells.fail("the charge period ends before it begins");
    const auto billed = cells.usd_exact(columns_.billed, cost.billed_exact);
    if (!billed) cells.fail("the row has no BilledCost");
    cost.billed = billed.value_or(domain::MicroUsd{});
    cost.effective = cells.usd_exact(columns_.effective, cost.effective_exact);
    cost.list = cells.usd(columns_.list);
    const bool consumed = !cells.text(columns_.consumed).empty();
    const std::string_view quantity = cells.number(consumed ? columns_.consumed : columns_.priced);
    cells.name_to(consumed ? columns_.consumed_unit : columns_.priced_unit, cost.quantity_unit);
    if (!quantity.empty()) {
      cost.quantity = parse_real(quantity);
      if (!cost.quantity) cells.fail("the quantity is not a number");
    }
  }

  bool is_correction(const Cells& cells) const {
    return cells.text(columns_.charge_class) == "Correction";
  }

  // Sets the model of the cost record, and the usage record of a row that counts tokens. False: it
  // does not, or they cannot be read.
  bool take_tokens(Cells& cells, domain::CostRecord& cost) {
    const TokenMeter& meter = meter_of(cells);
    name_to(meter.model, cost.model);
    const std::string_view category = cells.text(columns_.category);
    const bool usage_row = category.empty() || category == "Usage";
    if (!usage_row || is_correction(cells)) return false;
    domain::UsageRecord& record = next_usage();
    if (!read_own_counts(cells, record.usage)) {
      if (meter.unit == 0) return false;
      const bool consumed = !cells.text(columns_.consumed).empty();
      const auto tokens = parse_count_in_units(
          cells.number(consumed ? columns_.consumed : columns_.priced), meter.unit);
      if (!tokens || *tokens > kCountMax) {
        cells.fail("the token quantity is not a believable count: only the cost is kept");
        return false;
      }
      if (!add_tokens(record.usage, meter.kind, *tokens)) {
        cells.fail("the row does not say which tokens it counts: only the cost is kept");
        return false;
      }
    }
    if (!cells.ok() || record.usage.total() == 0) return false;
    fill(cells, cost, meter, record);
    return true;
  }

  void fill(const Cells& cells, const domain::CostRecord& cost, const TokenMeter& meter,
            domain::UsageRecord& record) const {
    name_to(cost.format, record.format);
    name_to(cost.provider, record.provider);
    name_to(cost.model, record.model);
    record.start_unix_ns = cost.start_unix_ns;
    record.end_unix_ns = cost.end_unix_ns;
    record.granularity = granularity_of(cost.end_unix_ns - cost.start_unix_ns);
    record.tier = meter.tier;
    if (meter.global) {
      record.region = "global";
    } else {
      cells.name_to(columns_.region, record.region);
    }
    name_to(cost.workspace, record.workspace);
    cells.name_to(columns_.user, record.user);
    cells.name_to(columns_.key, record.key);
    record.reported_cost = cost.billed;
    record.cost_kind = domain::CostKind::Billed;
    record.line = cost.line;
  }

  // Vendors' columns that hold the counts themselves. True when the row has any.
  bool read_own_counts(Cells& cells, domain::Usage& usage) const {
    usage.input_uncached = cells.count(columns_.input);
    usage.cache_read = cells.count(columns_.cache_read);
    usage.cache_write_5m = cells.count(columns_.cache_write);
    usage.output = cells.count(columns_.output);
    return usage.total() != 0;
  }

  const TokenMeter& meter_of(const Cells& cells) {
    const bool consumed = !cells.text(columns_.consumed).empty();
    return meters_.of(cells,
                      {columns_.usage_type, columns_.sku_meter, columns_.token_kind,
                       columns_.description, columns_.model, columns_.resource_name,
                       columns_.service, consumed ? columns_.consumed_unit : columns_.priced_unit},
                      [&] { return read_meter(cells); });
  }

  TokenMeter read_meter(const Cells& cells) const {
    TokenMeter meter;
    const std::string_view sku = cells.text(columns_.sku_meter);
    for (const std::string_view text : {cells.text(columns_.usage_type), sku}) {
      if (const auto known = parse_usage_type(text)) {
        meter = *known;
        break;
      }
    }
    // A unit that names tokens says more than the family of the usage type.
    const bool consumed = !cells.text(columns_.consumed).empty();
    const std::uint64_t unit =
        token_unit(cells.text(consumed ? columns_.consumed_unit : columns_.priced_unit));
    if (unit != 0) meter.unit = unit;
    if (meter.unit == 0) {
      meter.model = cells.name(columns_.model);
      return meter;
    }
    for (const std::string_view text :
         {cells.text(columns_.token_kind), sku, cells.text(columns_.description)}) {
      if (meter.kind == TokenClass::Unknown) meter.kind = token_class_of(text);
    }
    if (const std::string model = cells.name(columns_.model); !model.empty()) meter.model = model;
    // Marketplace rows name the model in the product only.
    if (meter.model.empty()) meter.model = cells.name(columns_.resource_name);
    if (meter.model.empty()) meter.model = cells.name(columns_.service);
    return meter;
  }

  FocusColumns columns_;
  IdentityColumns identity_;
  RowKinds<TokenMeter> meters_;
};

int recognise(const FileHint& hint) {
  return is_focus(header_of(hint.head)) ? 99 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& /*options*/) {
  return std::make_unique<FocusImporter>(hint.head);
}

}  // namespace

const Format& focus_format() {
  static constexpr Format kFormat{"focus", "FOCUS cost and usage export", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
