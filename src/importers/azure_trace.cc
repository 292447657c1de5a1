// See azure_trace.h.

#include "importers/azure_trace.h"

#include <algorithm>

#include "importers/csv_table.h"

namespace fh::importers {
namespace {

struct TraceColumns {
  Column time, input, output, model, session, elapsed, kind;
};

bool is_azure(const CsvHeader& header) {
  return header.has_all({"timestamp", "contexttokens", "generatedtokens"});
}

bool is_burstgpt(const CsvHeader& header) {
  return header.has_all({"timestamp", "request_tokens", "response_tokens", "log_type"});
}

class TraceImporter final : public CsvImporter {
 public:
  TraceImporter(const Format& format, std::string_view head) : CsvImporter(head), format_(format) {}

 protected:
  base::Status header(const CsvHeader& header) override {
    if (!is_azure(header) && !is_burstgpt(header)) {
      return base::fail(base::Code::InvalidArgument, "columns of the trace are missing");
    }
    columns_.time = header.find({"timestamp"});
    columns_.input = header.find({"contexttokens", "request_tokens"});
    columns_.output = header.find({"generatedtokens", "response_tokens"});
    columns_.model = header.find({"model"});
    columns_.session = header.find({"session_id"});
    columns_.elapsed = header.find({"elapsed_time"});
    columns_.kind = header.find({"log_type"});
    return {};
  }

  HabitColumns habit_columns() const override {
    const auto& c = columns_;
    return {{c.elapsed.index}, {c.time.index}, {c.input.index, c.output.index}};
  }

  void row(Cells& cells, Sink& sink) override {
    domain::UsageRecord& record = next_usage();
    const auto time = time_of(cells);
    if (!time) return cells.fail("the row has no time");
    name_to(format_.name, record.format);
    record.line = cells.line();
    record.start_unix_ns = record.end_unix_ns = *time;
    record.requests = 1;
    record.usage.input_uncached = cells.count(columns_.input);
    record.usage.output = cells.count(columns_.output);
    cells.name_to(columns_.model, record.model);
    cells.name_to(columns_.session, record.session);
    cells.name_to(columns_.kind, record.workload);
    if (const std::string_view text = cells.number(columns_.elapsed); !text.empty()) {
      record.duration_ns = parse_seconds_ns(text);
    }
    if (record.duration_ns) record.end_unix_ns += std::min(*record.duration_ns, kDayNs);
    // A request that failed has no answer and did no work.
    if (record.usage.total() == 0) cells.fail("the row has no token counts");
    if (!cells.ok()) return;
    emit(sink, Give::Usage,
         {cells.text(columns_.time), cells.text(columns_.input), cells.text(columns_.output),
          cells.text(columns_.model), cells.text(columns_.session)});
  }

 private:
  // Seconds since the trace began, or a date.
  std::optional<std::int64_t> time_of(Cells& cells) const {
    const auto seconds = columns_.kind ? parse_seconds_ns(cells.text(columns_.time)) : std::nullopt;
    return seconds ? seconds : cells.time_ns(columns_.time);
  }

  const Format& format_;
  TraceColumns columns_;
};

int recognise_azure(const FileHint& hint) {
  return is_azure(header_of(hint.head)) ? 98 : 0;
}
int recognise_burstgpt(const FileHint& hint) {
  return is_burstgpt(header_of(hint.head)) ? 98 : 0;
}

base::Result<std::unique_ptr<Importer>> open_azure(const FileHint& hint,
                                                   const Options& /*options*/) {
  return std::make_unique<TraceImporter>(azure_trace_format(), hint.head);
}

base::Result<std::unique_ptr<Importer>> open_burstgpt(const FileHint& hint,
                                                      const Options& /*options*/) {
  return std::make_unique<TraceImporter>(burstgpt_trace_format(), hint.head);
}

}  // namespace

const Format& azure_trace_format() {
  static constexpr Format kFormat{"azure-trace", "Azure LLM inference trace", recognise_azure,
                                  open_azure};
  return kFormat;
}

const Format& burstgpt_trace_format() {
  static constexpr Format kFormat{"burstgpt-trace", "BurstGPT request trace", recognise_burstgpt,
                                  open_burstgpt};
  return kFormat;
}

}  // namespace fh::importers
