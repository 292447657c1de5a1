// GitHub Copilot usage reports.

#include "importers/copilot.h"

#include "importers/csv_table.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

struct CopilotColumns {
  Column date, user, product, sku, model, quantity, unit, gross, discount, net;
  Column organization, repository, cost_center, exceeds;
  Column input, output, cache_read, cache_write;
  bool tokens() const { return input && output; }
};

CopilotColumns columns_of(const CsvHeader& header) {
  CopilotColumns c;
  c.date = header.find({"date", "usage_date", "usage_at"});
  c.user = header.find({"username", "user"});
  c.product = header.find({"product"});
  c.sku = header.find({"sku"});
  c.model = header.find({"model"});
  c.quantity = header.find({"quantity"});
  c.unit = header.find({"unit_type"});
  c.gross = header.find({"gross_amount"});
  c.discount = header.find({"discount_amount"});
  c.net = header.find({"net_amount"});
  c.organization = header.find({"organization"});
  c.repository = header.find({"repository", "repository_name"});
  c.cost_center = header.find({"cost_center_name"});
  c.exceeds = header.find({"exceeds_quota"});
  c.input = header.find({"input", "input_tokens"});
  c.output = header.find({"output", "output_tokens"});
  c.cache_read = header.find({"cache_read", "cache_read_tokens"});
  c.cache_write = header.find({"cache_write", "cache_write_tokens"});
  return c;
}

bool is_credit_report(const CsvHeader& header) {
  return header.has_all({"date", "product", "sku", "model", "quantity", "unit_type", "net_amount"});
}

// Timestamp,User,Model,Requests Used,Exceeds Monthly Quota,Total Monthly Quota
bool is_request_report(const CsvHeader& header) {
  return header.has_all({"timestamp", "user", "model", "requests_used"});
}

class CopilotImporter final : public CsvImporter {
 public:
  explicit CopilotImporter(std::string_view head) : CsvImporter(head, Wrapped::Maybe) {}

 protected:
  base::Status header(const CsvHeader& header) override {
    columns_ = columns_of(header);
    requests_only_ = is_request_report(header) && !is_credit_report(header);
    if (!requests_only_ && !is_credit_report(header)) {
      return base::fail(base::Code::InvalidArgument, "columns of a Copilot report are missing");
    }
    return {};
  }

  HabitColumns habit_columns() const override {
    const auto& c = columns_;
    return {{c.quantity.index, c.net.index, c.gross.index},
            {c.date.index},
            {c.input.index, c.cache_read.index, c.cache_write.index, c.output.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    if (requests_only_) {
      return cells.fail("the premium-request report counts requests and has no tokens or amounts");
    }
    const auto day = cells.time_ns(columns_.date);
    if (!day && cells.ok()) cells.fail("the row has no date");
    const std::int64_t start = day.value_or(0);
    domain::CostRecord& cost = next_cost();
    read_cost(cells, start - start % kDayNs, cost);
    const domain::Usage usage = read_usage(cells);
    if (!cells.ok()) return;
    if (usage.total() > 0) {
      fill(cells, cost, usage, next_usage());
    } else if (contains(lowered(cost.quantity_unit), "request") ||
               contains(lowered(cost.item), "premium_request")) {
      cells.fail("a premium-request row counts requests, not tokens: only its cost is kept");
    } else if (!columns_.tokens()) {
      cells.fail("this export has no token columns: only the cost is kept");
    } else if (contains(lowered(cost.service), "copilot")) {
      cells.fail("the row has no token counts: only its cost is kept");
    }
    emit(sink, usage.total() > 0 ? Give::Both : Give::Cost,
         {cells.text(columns_.date), cells.text(columns_.user), cells.text(columns_.sku),
          cells.text(columns_.model), cells.text(columns_.unit), cells.text(columns_.organization),
          cells.text(columns_.repository), cells.text(columns_.cost_center),
          cells.text(columns_.exceeds)});
  }

 private:
  void read_cost(Cells& cells, std::int64_t day, domain::CostRecord& cost) const {
    name_to(copilot_format().name, cost.format);
    name_to("github-copilot", cost.provider);
    cost.line = cells.line();
    cells.name_to(columns_.model, cost.model);
    cells.name_to(columns_.sku, cost.item);
    cells.name_to(columns_.product, cost.service);
    cells.name_to(columns_.organization, cost.workspace);
    cost.start_unix_ns = day;
    cost.end_unix_ns = day + kDayNs;
    cells.name_to(columns_.unit, cost.quantity_unit);
    if (const std::string_view quantity = cells.number(columns_.quantity); !quantity.empty()) {
      cost.quantity = parse_real(quantity);
      if (!cost.quantity) cells.fail("quantity is not a number");
    }
    const auto net = cells.usd(columns_.net);
    if (!net) cells.fail("the row has no net_amount");
    cost.billed = net.value_or(domain::MicroUsd{});
    name_to(cells.number(columns_.net), cost.billed_exact);
    cost.list = cells.usd(columns_.gross);
  }

  domain::Usage read_usage(Cells& cells) const {
    domain::Usage usage;
    usage.input_uncached = cells.count(columns_.input);
    usage.cache_read = cells.count(columns_.cache_read);
    usage.cache_write_5m = cells.count(columns_.cache_write);
    usage.output = cells.count(columns_.output);
    return usage;
  }

  void fill(const Cells& cells, const domain::CostRecord& cost, const domain::Usage& usage,
            domain::UsageRecord& record) const {
    name_to(cost.format, record.format);
    name_to(cost.provider, record.provider);
    name_to(cost.model, record.model);
    name_to(cost.workspace, record.workspace);
    record.start_unix_ns = cost.start_unix_ns;
    record.end_unix_ns = cost.end_unix_ns;
    record.granularity = domain::Granularity::Day;
    record.usage = usage;
    cells.name_to(columns_.user, record.user);
    cells.name_to(columns_.repository, record.application);
    cells.name_to(columns_.cost_center, record.workload);
    const bool included = cost.billed.value == 0 && cost.list && cost.list->value > 0;
    record.reported_cost = cost.billed;
    record.cost_kind = included ? domain::CostKind::Included : domain::CostKind::Billed;
    record.line = cost.line;
  }

  CopilotColumns columns_;
  bool requests_only_ = false;
};

int recognise(const FileHint& hint) {
  const CsvHeader header = unwrapped_header_of(hint.head);
  if (is_credit_report(header)) return 97;
  return is_request_report(header) ? 92 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& /*options*/) {
  return std::make_unique<CopilotImporter>(hint.head);
}

}  // namespace

const Format& copilot_format() {
  static constexpr Format kFormat{"copilot", "GitHub Copilot usage report", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
