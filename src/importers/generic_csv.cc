// Rows by a mapping.

#include "importers/generic_csv.h"

#include <fmt/format.h>

#include "importers/csv_mapping.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

class MappedImporter final : public CsvImporter {
 public:
  MappedImporter(CsvMapping mapping, bool guessed, std::string_view head)
      : CsvImporter(head, Wrapped::No, mapping.delimiter),
        mapping_(std::move(mapping)),
        guessed_(guessed) {
    if (mapping_.decimal) set_decimal(*mapping_.decimal);
  }

 protected:
  base::Status header(const CsvHeader& header) override {
    FH_TRY(columns_, resolve(mapping_, header));
    if (guessed_) total_ = header.find({"total_tokens", "tokens_total"});
    for (const auto& [field, member] : kNameFields) {
      const std::string& constant = mapping_.constant(field);
      if (column(field) || !constant.empty()) names_.push_back({column(field), member, &constant});
    }
    for (const TokenField& field : kTokenFields) {
      if (column(field.field)) tokens_.push_back({column(field.field), field.member});
    }
    return {};
  }

  HabitColumns habit_columns() const override {
    HabitColumns out;
    // In units of a thousand, say, counts may have decimals.
    std::vector<int>& counts = mapping_.tokens_per_unit == 1 ? out.counts : out.numbers;
    for (const Count& count : tokens_) counts.push_back(count.column.index);
    for (const MapField field : {MapField::Cost, MapField::TtftMs, MapField::DurationMs}) {
      out.numbers.push_back(column(field).index);
    }
    out.counts.push_back(column(MapField::Requests).index);
    out.counts.push_back(total_.index);
    if (mapping_.time_format == TimeFormat::Auto) {
      out.times = {column(MapField::Time).index, column(MapField::End).index};
    }
    return out;
  }

  void row(Cells& cells, Sink& sink) override {
    domain::UsageRecord& record = next_usage();
    name_to(generic_csv_format().name, record.format);
    record.line = cells.line();
    read_times(cells, record);
    read_names(cells, record);
    read_tokens(cells, record.usage);
    read_cost(cells, record);
    if (!cells.ok()) return;
    if (guessed_ && column(MapField::Id)) {
      // It may number the rows of each file anew, or name the one trace of several requests.
      return emit(sink, Give::Usage,
                  {"id", cells.text(column(MapField::Id)), cells.text(column(MapField::Time)),
                   record.model});
    }
    cells.name_to(column(MapField::Id), record.source_id);
    if (!record.source_id.empty()) return emit(sink, Give::Usage);
    emit(sink, Give::Usage,
         {cells.text(column(MapField::Time)), record.model, record.provider, record.user,
          record.key, record.workspace, record.application, record.workload, record.session,
          cells.text(column(MapField::Tier)), record.region});
  }

 private:
  struct Name {
    Column column;
    std::string domain::UsageRecord::* member;
    const std::string* constant;  // of mapping_
  };
  struct Count {
    Column column;
    std::uint64_t domain::Usage::* member;
  };
  struct NameField {
    MapField field;
    std::string domain::UsageRecord::* member;
  };
  struct TokenField {
    MapField field;
    std::uint64_t domain::Usage::* member;
  };
  static constexpr TokenField kTokenFields[] = {
      {MapField::Input, &domain::Usage::input_uncached},
      {MapField::CacheRead, &domain::Usage::cache_read},
      {MapField::CacheWrite, &domain::Usage::cache_write_5m},
      {MapField::CacheWrite1h, &domain::Usage::cache_write_1h},
      {MapField::Output, &domain::Usage::output},
      {MapField::Reasoning, &domain::Usage::reasoning},
  };
  static constexpr NameField kNameFields[] = {
      {MapField::Model, &domain::UsageRecord::model},
      {MapField::Provider, &domain::UsageRecord::provider},
      {MapField::User, &domain::UsageRecord::user},
      {MapField::Key, &domain::UsageRecord::key},
      {MapField::Workspace, &domain::UsageRecord::workspace},
      {MapField::Application, &domain::UsageRecord::application},
      {MapField::Workload, &domain::UsageRecord::workload},
      {MapField::Session, &domain::UsageRecord::session},
      {MapField::Region, &domain::UsageRecord::region},
  };

  Column column(MapField field) const { return columns_[static_cast<std::size_t>(field)]; }

  std::optional<std::int64_t> time(Cells& cells, MapField field) const {
    const Column at = column(field);
    if (mapping_.time_format == TimeFormat::Auto) return cells.time_ns(at, mapping_.zone_minutes);
    const std::string_view text = cells.text(at);
    if (text.empty()) return std::nullopt;
    const auto value = mapped_time_ns(mapping_, text);
    if (!value)
      cells.fail(fmt::format("{} is not a time of the expected form", map_field_name(field)));
    return value;
  }

  void read_times(Cells& cells, domain::UsageRecord& record) const {
    const auto start = time(cells, MapField::Time);
    if (!start) return cells.fail("the row has no time");
    record.start_unix_ns = *start;
    record.granularity = mapping_.granularity.value_or(is_date(cells.text(column(MapField::Time)))
                                                           ? domain::Granularity::Day
                                                           : domain::Granularity::Request);
    if (const Column ttft = column(MapField::TtftMs)) record.ttft_ns = cells.ms_ns(ttft);
    if (const Column took = column(MapField::DurationMs)) record.duration_ns = cells.ms_ns(took);
    record.end_unix_ns = *start + length_ns(record);
    const auto end = column(MapField::End) ? time(cells, MapField::End) : std::nullopt;
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
           (text.find_first_of("-/", 1) != std::string_view::npos || looks_like_local_date(text));
  }

  void read_names(Cells& cells, domain::UsageRecord& record) const {
    for (const Name& name : names_) {
      std::string& text = record.*name.member;
      cells.name_to(name.column, text);
      if (text.empty()) text = *name.constant;  // for an empty cell, too
    }
    if (record.model.empty()) cells.fail("the row has no model");
    std::string_view word = cells.text(column(MapField::Tier));
    if (word.empty()) word = mapping_.constant(MapField::Tier);
    if (word.empty()) return;
    const auto tier = parse_tier(word);
    if (!tier) cells.fail("tier is none of standard, batch, flex, priority, fast");
    record.tier = tier.value_or(domain::ServiceTier::Standard);
  }

  std::uint64_t tokens(Cells& cells, Column column) const {
    const std::string_view text = cells.number(column);
    if (text.empty()) return 0;
    const auto value = mapping_.tokens_per_unit == 1
                           ? parse_count(text)
                           : parse_count_in_units(text, mapping_.tokens_per_unit);
    if (value && *value <= kCountMax) return *value;
    cells.fail(fmt::format("{} is not a believable count", column.name));
    return 0;
  }

  void read_tokens(Cells& cells, domain::Usage& usage) const {
    std::uint64_t any = 0;
    for (const Count& count : tokens_) any |= usage.*count.member = tokens(cells, count.column);
    if (any == 0) return cells.fail("the row has no token counts");
    const std::uint64_t input = usage.input_uncached;
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
    const std::string_view text = cells.number(column(MapField::Cost));
    if (text.empty()) return;
    record.reported_cost = mapping_.cost_in_cents ? parse_cents(text) : parse_usd(text);
    record.cost_kind = mapping_.cost_kind;
    if (!record.reported_cost) cells.fail("cost is not an amount of money");
  }

  CsvMapping mapping_;
  bool guessed_;
  MappedColumns columns_{};
  std::vector<Name> names_;    // those that the file or the mapping has
  std::vector<Count> tokens_;  // those that the file has
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
    return std::make_unique<MappedImporter>(std::move(*guess), true, hint.head);
  }
  FH_TRY(CsvMapping mapping, parse_csv_mapping(options.mapping_toml));
  // With a delimiter of its own the header is checked when the file is read.
  if (mapping.delimiter == '\0') {
    if (header.size() == 0) {
      return base::fail(base::Code::InvalidArgument, "the file does not begin with a header row");
    }
    FH_TRY_VOID(resolve(mapping, header));
  }
  return std::make_unique<MappedImporter>(std::move(mapping), false, hint.head);
}

}  // namespace

const Format& generic_csv_format() {
  static constexpr Format kFormat{"csv", "CSV file", recognise, open, true};
  return kFormat;
}

}  // namespace fh::importers
