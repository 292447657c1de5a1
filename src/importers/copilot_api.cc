// Answers of GitHub's billing API. An item's period is its own date, or that of the answer, which
// stands before the list: a year, a month or a day of UTC.

#include "importers/copilot_api.h"

#include <array>

#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"
#include "importers/row_identity.h"

namespace fh::importers {
namespace {

constexpr std::string_view kName = "copilot-api";
constexpr std::string_view kLists[] = {"usageItems"};

struct Period {
  std::int64_t start = 0, end = 0;
};

std::optional<Period> period_of(codec::json::Value time_period) {
  const auto part = [&](std::string_view key) -> std::optional<int> {
    const auto value = time_period[key].as_int();
    if (!value || *value < 0 || *value > 9999) return std::nullopt;
    return static_cast<int>(*value);
  };
  const auto year = part("year"), month = part("month"), day = part("day");
  if (!year || (day && !month)) return std::nullopt;
  const auto start = day_ns(*year, month.value_or(1), day.value_or(1));
  if (!start) return std::nullopt;
  if (day) return Period{*start, *start + kDayNs};
  const bool last = !month || *month == 12;
  const auto end = last ? day_ns(*year + 1, 1, 1) : day_ns(*year, *month + 1, 1);
  if (!end) return std::nullopt;
  return Period{*start, *end};
}

class CopilotApiImporter final : public ElementImporter {
 public:
  CopilotApiImporter() : ElementImporter(kLists) {}

 protected:
  void row(codec::json::Value item, const Element& element, Sink& sink) override {
    if (element.page_head != head_) read_head(element.page_head);
    domain::CostRecord cost;
    const auto net = parse_usd(number_text(item["netAmount"]));
    if (!net) return sink.skip(element.line, "an item without a netAmount that is a number");
    const auto period = time_of(item);
    if (!period) {
      return sink.skip(element.line,
                       "neither the item nor the answer before it tells the time: pull it by day");
    }
    cost.billed = *net;
    cost.billed_exact = number_text(item["netAmount"]);
    cost.list = parse_usd(number_text(item["grossAmount"]));
    cost.format = kName;
    cost.provider = "github-copilot";
    cost.model = text_of(item, "model");
    cost.item = text_of(item, "sku");
    cost.service = text_of(item, "product");
    cost.workspace = text_of_any(item, {"organizationName"});
    if (cost.workspace.empty()) cost.workspace = account_;
    const std::string named = cost.workspace;  // in the identity, which outlives releases
    cost.workspace = name_of(cost.workspace + part_);
    cost.start_unix_ns = period->start;
    cost.end_unix_ns = period->end;
    cost.quantity_unit = text_of(item, "unitType");
    const bool gross = item["grossQuantity"].exists();
    if (const auto quantity = number_text(item[gross ? "grossQuantity" : "quantity"]);
        !quantity.empty()) {
      cost.quantity = parse_real(quantity);
    }
    cost.line = element.line;
    const std::string repository = text_of(item, "repositoryName");
    const std::array<std::string, 2> times{std::to_string(period->start),
                                           std::to_string(period->end)};
    identity_.to(cost.source_id,
                 {times[0], times[1], scope_, named, repository, cost.service, cost.item,
                  cost.model, cost.quantity_unit},
                 element.line);
    const bool copilot = contains(lowered(cost.service + ' ' + cost.item), "copilot");
    sink.cost(std::move(cost));
    if (copilot) {
      sink.skip(element.line, "the billing API does not count tokens: only the cost is kept");
    }
  }

 private:
  // What the answer says of all its items.
  void read_head(std::string_view head) {
    head_ = head;
    period_.reset();
    account_.clear();
    scope_.clear();
    part_.clear();
    if (head.empty()) return;
    const auto page = codec::json::Document::parse(std::string(head) + "]}");
    if (!page) return;
    const codec::json::Value root = page->root();
    period_ = period_of(root["timePeriod"]);
    account_ = text_of_any(root, {"organization", "enterprise", "user"});
    for (const std::string_view key : {"enterprise", "organization", "user", "costCenter"}) {
      const codec::json::Value value = root[key];
      const std::size_t before = scope_.size();
      scope_ += value.is_object() ? text_of_any(value, {"id", "name"}) : text_of(root, key);
      scope_ += '\n';
      // An answer about a part of the account: see nesting.h.
      const bool part = key == "costCenter" || (key == "user" && account_ != text_of(root, key));
      if (part && scope_.size() > before + 1) {
        part_ += '/' + scope_.substr(before, scope_.size() - before - 1);
      }
    }
  }

  std::optional<Period> time_of(codec::json::Value item) const {
    if (!item["date"].exists()) return period_;
    const auto date = item["date"].as_string();
    const auto time = date ? parse_time_ns(*date) : std::nullopt;
    if (!time) return std::nullopt;
    const std::int64_t start = *time - *time % kDayNs;
    return Period{start, start + kDayNs};
  }

  std::string head_;
  std::optional<Period> period_;
  std::string account_, scope_, part_;
  RowIdentity identity_;
};

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  return contains(head, "\"usageItems\"") && contains(head, "\"netAmount\"") ? 96 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<CopilotApiImporter>();
}

}  // namespace

const Format& copilot_api_format() {
  static constexpr Format kFormat{kName, "GitHub billing API answer", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
