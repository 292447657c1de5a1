// FOCUS cost and usage rows.

#include "importers/focus.h"

#include <array>

#include "codec/json_scan.h"
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
  Column details;                                            // SkuPriceDetails, as JSON
  Column usage_type, model, token_kind, tokens;              // vendors' own
  Column input, cache_read, cache_write, output, user, key;  // likewise
  bool cached = false;  // cache_read counts "cached" tokens, by habit a part of the input
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
  c.tokens = header.find({"x_consumedtokens", "x_consumed_tokens", "x_totaltokens",
                          "x_total_tokens", "x_tokens", "x_tokencount"});
  c.details = header.find({"skupricedetails"});
  c.input = header.find({"x_inputtokens", "x_input_tokens"});
  c.cache_read = header.find({"x_cachereadtokens", "x_cache_read_tokens"});
  c.cached = !c.cache_read;
  if (c.cached) {
    c.cache_read = header.find({"x_cachedtokens", "x_cached_tokens", "x_cachedinputtokens"});
  }
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

// What SkuPriceDetails, a JSON object of the provider's own keys, says about tokens.
struct SkuDetails {
  std::string model, token_kind;
};

SkuDetails read_details(std::string_view json) {
  SkuDetails out;
  codec::json::Scanner scan(json);
  std::string_view key;
  if (!scan.open_object()) return out;
  while (scan.next_key(key)) {
    std::string name = column_key(key);
    std::erase(name, '_');
    if (name.starts_with('x')) name.erase(0, 1);
    const std::string text = name_of(codec::json::string_of(scan.value()).value_or(""));
    if (name == "model" || name == "modelname" || name == "modelid") out.model = text;
    if (name == "tokentype" || name == "tokenclass" || name == "tokenkind") out.token_kind = text;
  }
  return scan.ok() ? out : SkuDetails{};
}

class FocusImporter final : public BillImporter {
 public:
  using BillImporter::BillImporter;

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
    return {
        {c.billed.index, c.effective.index, c.list.index, c.consumed.index, c.priced.index},
        {c.start.index, c.end.index},
        {c.input.index, c.cache_read.index, c.cache_write.index, c.output.index, c.tokens.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    domain::CostRecord& cost = next_cost();
    read_cost(cells, cost);
    if (!cells.ok()) return;
    const bool tokens = take_tokens(cells, cost);
    if (is_foreign(cells, columns_.currency)) return emit_tokens(cells, sink, tokens, identity_);
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
    const Meter& meter = meter_of(cells);
    name_to(meter.tokens.model, cost.model);
    const std::string_view category = cells.text(columns_.category);
    const bool usage_row = category.empty() || category == "Usage";
    if (!usage_row || is_correction(cells)) return false;
    domain::UsageRecord& record = next_usage();
    if (!read_own_counts(cells, meter, record.usage)) {
      bool told = false;
      const auto tokens = tokens_in(cells, meter, told);
      if (!told) return false;
      if (!tokens || *tokens > kCountMax) {
        cells.fail("the token quantity is not a believable count: only the cost is kept");
        return false;
      }
      if (!add_tokens(record.usage, meter.tokens.kind, *tokens)) {
        cells.fail("the row does not say which tokens it counts: only the cost is kept");
        return false;
      }
    }
    if (!cells.ok() || record.usage.total() == 0) return false;
    fill(cells, cost, meter.tokens, record);
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
    if (!is_foreign(cells, columns_.currency)) {
      record.reported_cost = cost.billed;
      record.cost_kind = domain::CostKind::Billed;
    }
    record.line = cost.line;
  }

  // What is the same in all rows with the same names and units.
  struct Meter {
    TokenMeter tokens;
    // Tokens in one of the quantity, 0: not told; and whether the unit itself names tokens.
    std::uint64_t consumed = 0, priced = 0;
    bool consumed_named = false, priced_named = false;
  };

  static bool is_told(const Cells& cells, Column column) { return !cells.text(column).empty(); }

  // The row's quantity of tokens; `told`: it has one, believable or not.
  std::optional<std::uint64_t> tokens_in(Cells& cells, const Meter& meter, bool& told) const {
    const bool consumed = is_told(cells, columns_.consumed),
               priced = is_told(cells, columns_.priced);
    told = true;
    if (consumed && meter.consumed_named) return quantity(cells, columns_.consumed, meter.consumed);
    if (priced && meter.priced_named) return quantity(cells, columns_.priced, meter.priced);
    if (is_told(cells, columns_.tokens)) return quantity(cells, columns_.tokens, 1);
    if (consumed && meter.consumed != 0) return quantity(cells, columns_.consumed, meter.consumed);
    if (!consumed && priced && meter.priced != 0) {
      return quantity(cells, columns_.priced, meter.priced);
    }
    told = false;
    return std::nullopt;
  }

  static std::optional<std::uint64_t> quantity(Cells& cells, Column column, std::uint64_t unit) {
    return parse_count_in_units(cells.number(column), unit);
  }

  // Vendors' columns that hold the counts themselves. True when the row has any.
  bool read_own_counts(Cells& cells, const Meter& meter, domain::Usage& usage) const {
    usage.input_uncached = cells.count(columns_.input);
    usage.cache_read = cells.count(columns_.cache_read);
    usage.cache_write_5m = cells.count(columns_.cache_write);
    usage.output = cells.count(columns_.output);
    if (columns_.cached && usage.cache_read != 0 && usage.cache_read <= usage.input_uncached &&
        is_inside(cells, meter, usage)) {
      usage.input_uncached -= usage.cache_read;
    }
    return usage.total() != 0;
  }

  // Whether the input holds the cached tokens, too: the row's own sum says it, else the habit of
  // its provider.
  bool is_inside(Cells& cells, const Meter& meter, const domain::Usage& usage) const {
    bool told = false;
    if (const auto sum = tokens_in(cells, meter, told)) {
      if (usage.total() == *sum) return false;
      if (usage.total() - usage.cache_read == *sum) return true;
    }
    const std::string provider = lowered(cells.text(columns_.provider));
    return !contains(provider, "anthropic") && !contains(meter.tokens.model, "claude");
  }

  const Meter& meter_of(const Cells& cells) {
    const bool own = is_told(cells, columns_.tokens);
    return meters_.of(
        cells,
        {columns_.usage_type, columns_.sku_meter, columns_.token_kind, columns_.description,
         columns_.model, columns_.resource_name, columns_.service, columns_.consumed_unit,
         columns_.priced_unit, columns_.details},
        [&] { return read_meter(cells, own); }, own ? '1' : '0');
  }

  // A unit that names tokens says more than the family of the usage type; one that names nothing
  // ("1K", "Units") is of tokens where the meter is.
  static std::uint64_t unit_of(std::string_view unit, const TokenMeter& family, bool of_tokens,
                               bool& named) {
    const std::uint64_t tokens = token_unit(unit);
    named = tokens != 0;
    if (named) return tokens;
    if (family.unit != 0) return family.unit;
    return of_tokens ? bare_unit(unit) : 0;
  }

  Meter read_meter(const Cells& cells, bool own) const {
    Meter out;
    TokenMeter& meter = out.tokens;
    const std::string_view sku = cells.text(columns_.sku_meter);
    for (const std::string_view text : {cells.text(columns_.usage_type), sku}) {
      if (const auto known = parse_usage_type(text)) {
        meter = *known;
        break;
      }
    }
    const bool of_tokens = contains(lowered(sku), "token");
    out.consumed =
        unit_of(cells.text(columns_.consumed_unit), meter, of_tokens, out.consumed_named);
    out.priced = unit_of(cells.text(columns_.priced_unit), meter, of_tokens, out.priced_named);
    const SkuDetails details = read_details(cells.text(columns_.details));
    const std::string named =
        is_told(cells, columns_.model) ? cells.name(columns_.model) : details.model;
    if (out.consumed == 0 && out.priced == 0 && !own) {
      meter.model = named;
      return out;
    }
    for (const std::string_view text :
         {cells.text(columns_.token_kind), sku, std::string_view(details.token_kind),
          cells.text(columns_.description)}) {
      if (meter.kind == TokenClass::Unknown) meter.kind = token_class_of(text);
    }
    if (!named.empty()) meter.model = named;
    // Marketplace rows name the model in the product only.
    if (meter.model.empty()) meter.model = cells.name(columns_.resource_name);
    if (meter.model.empty()) meter.model = cells.name(columns_.service);
    return out;
  }

  FocusColumns columns_;
  IdentityColumns identity_;
  RowKinds<Meter> meters_;
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
