// Rows by a mapping.

#include "importers/generic_csv.h"

#include <fmt/format.h>

#include "importers/csv_mapping.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

class MappedImporter final : public CsvImporter {
 public:
  MappedImporter(CsvMapping mapping, bool guessed)
      : CsvImporter(Wrapped::No, {}, mapping.delimiter),
        mapping_(std::move(mapping)),
        guessed_(guessed) {}

 protected:
  base::Status header(const CsvHeader& header) override {
    FH_TRY(columns_, resolve(mapping_, header));
    if (guessed_) total_ = header.find({"total_tokens", "tokens_total"});
    return {};
  }

  void row(Cells& cells, Sink& sink) override {
    domain::UsageRecord record;
    record.format = generic_csv_format().name;
    record.line = cells.line();
    read_times(cells, record);
    read_names(cells, record);
    read_tokens(cells, record.usage);
    read_cost(cells, record);
    if (cells.ok() && record.usage.total() == 0) cells.fail("the row has no token counts");
    if (!cells.ok()) return;
    record.source_id = identify(cells, record);
    sink.usage(std::move(record));
  }

 private:
  Column column(MapField field) const { return columns_[static_cast<std::size_t>(field)]; }

  // The cell, or the constant where it is empty.
  std::string name(const Cells& cells, MapField field) const {
    std::string text = cells.name(column(field));
    return text.empty() ? mapping_.constant(field) : text;
  }

  std::optional<std::int64_t> time(Cells& cells, MapField field) const {
    const std::string_view text = cells.text(column(field));
    if (text.empty()) return std::nullopt;
    const auto value = mapped_time_ns(mapping_, text);
    if (!value)
      cells.fail(fmt::format("{} is not a time of the expected form", map_field_name(field)));
    return value;
  }

  void read_times(Cells& cells, domain::UsageRecord& record) const {
    const auto start = time(cells, MapField::Time);
    if (!start) return cells.fail("the row has no time");
    const auto end = time(cells, MapField::End);
    record.start_unix_ns = *start;
    record.granularity = mapping_.granularity.value_or(is_date(cells.text(column(MapField::Time)))
                                                           ? domain::Granularity::Day
                                                           : domain::Granularity::Request);
    record.ttft_ns = cells.ms_ns(column(MapField::TtftMs));
    record.duration_ns = cells.ms_ns(column(MapField::DurationMs));
    record.end_unix_ns = *start + length_ns(record);
    if (end && *end >= *start) {
      record.end_unix_ns = *end;
      if (record.granularity == domain::Granularity::Request && !record.duration_ns) {
        record.duration_ns = *end - *start;
      }
    }
    if (record.granularity == domain::Granularity::Request) record.requests = 1;
    if (const auto told = cells.count_if_told(column(MapField::Requests))) record.requests = told;
  }

  static std::int64_t length_ns(const domain::UsageRecord& record) {
    switch (record.granularity) {
      case domain::Granularity::Request: return std::min(record.duration_ns.value_or(0), kDayNs);
      case domain::Granularity::Minute: return 60 * kSecondNs;
      case domain::Granularity::Hour: return 3600 * kSecondNs;
      case domain::Granularity::Day: return kDayNs;
    }
    return 0;
  }

  // A date without a time of day. Numbers are times.
  static bool is_date(std::string_view text) {
    return text.size() <= 10 && text.find(':') == std::string_view::npos &&
           text.find_first_of("-/", 1) != std::string_view::npos;
  }

  void read_names(Cells& cells, domain::UsageRecord& record) const {
    record.model = name(cells, MapField::Model);
    if (record.model.empty()) cells.fail("the row has no model");
    record.provider = name(cells, MapField::Provider);
    record.user = name(cells, MapField::User);
    record.key = name(cells, MapField::Key);
    record.workspace = name(cells, MapField::Workspace);
    record.application = name(cells, MapField::Application);
    record.workload = name(cells, MapField::Workload);
    record.session = name(cells, MapField::Session);
    record.region = name(cells, MapField::Region);
    const auto tier = parse_tier(name(cells, MapField::Tier));
    if (!tier) cells.fail("tier is none of standard, batch, flex, priority, fast");
    record.tier = tier.value_or(domain::ServiceTier::Standard);
  }

  std::uint64_t tokens(Cells& cells, MapField field) const {
    const std::string_view text = cells.text(column(field));
    if (text.empty()) return 0;
    const auto value = mapping_.tokens_per_unit == 1
                           ? parse_count(text)
                           : parse_count_in_units(text, mapping_.tokens_per_unit);
    if (value && *value <= kCountMax) return *value;
    cells.fail(fmt::format("{} is not a believable count", map_field_name(field)));
    return 0;
  }

  void read_tokens(Cells& cells, domain::Usage& usage) const {
    const std::uint64_t input = tokens(cells, MapField::Input);
    usage.cache_read = tokens(cells, MapField::CacheRead);
    usage.cache_write_5m = tokens(cells, MapField::CacheWrite);
    usage.cache_write_1h = tokens(cells, MapField::CacheWrite1h);
    usage.output = tokens(cells, MapField::Output);
    usage.reasoning = tokens(cells, MapField::Reasoning);
    if (!mapping_.output_includes_reasoning) usage.output += usage.reasoning;
    if (usage.reasoning > usage.output) cells.fail("reasoning tokens exceed the output");
    const std::uint64_t cached = usage.cache_read + usage.cache_write();
    bool inside = mapping_.input_includes_cache;
    // A total in the file settles it for rows that are read by guess.
    if (const auto total = cells.count_if_told(total_); total && cached != 0) {
      if (input + usage.output == *total) inside = true;
      if (input + cached + usage.output == *total) inside = false;
    }
    if (inside && cached > input) return cells.fail("cached tokens exceed the input");
    usage.input_uncached = inside ? input - cached : input;
  }

  void read_cost(Cells& cells, domain::UsageRecord& record) const {
    const std::string_view text = cells.text(column(MapField::Cost));
    if (text.empty()) return;
    record.reported_cost = mapping_.cost_in_cents ? parse_cents(text) : parse_usd(text);
    record.cost_kind = mapping_.cost_kind;
    if (!record.reported_cost) cells.fail("cost is not an amount of money");
  }

  std::string identify(const Cells& cells, const domain::UsageRecord& record) {
    if (std::string id = cells.name(column(MapField::Id)); !id.empty()) return id;
    return identity().of(
        {cells.text(column(MapField::Time)), record.model, record.provider, record.user, record.key,
         record.workspace, record.application, record.workload, record.session,
         cells.text(column(MapField::Tier)), record.region},
        cells.line());
  }

  CsvMapping mapping_;
  bool guessed_;
  MappedColumns columns_{};
  Column total_;
};

int recognise(const FileHint& hint) {
  return guess_csv_mapping(header_of(hint.head)).has_value() ? 20 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& options) {
  const CsvHeader header = header_of(hint.head);
  if (options.mapping_toml.empty()) {
    auto guess = guess_csv_mapping(header);
    if (!guess) {
      return base::fail(base::Code::InvalidArgument,
                        "the columns of the file do not say what they are",
                        "write a mapping file and pass it with --mapping");
    }
    return std::make_unique<MappedImporter>(std::move(*guess), true);
  }
  FH_TRY(CsvMapping mapping, parse_csv_mapping(options.mapping_toml));
  // With a delimiter of its own the header is checked when the file is read.
  if (mapping.delimiter == '\0' && header.size() != 0) {
    FH_TRY_VOID(resolve(mapping, header));
  }
  return std::make_unique<MappedImporter>(std::move(mapping), false);
}

}  // namespace

const Format& generic_csv_format() {
  static constexpr Format kFormat{"csv", "CSV file", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
