// AWS Bedrock model invocation logs (schema ModelInvocationLog 1.0), as written to S3: one JSON
// record per call and line. Prompts and answers stand beside the counts and are jumped over. Cached
// tokens are counted beside the input; where the record's own counts have no cache classes, those
// of the answer's usage object are taken.

#include "importers/bedrock.h"

#include "codec/json_scan.h"
#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Scanner;
using codec::json::string_of;
using codec::json::whole_of;

constexpr std::string_view kName = "bedrock";

struct Line {
  std::string_view schema, timestamp, account, region, request_id, model, inference_region, arn;
  std::string_view input, output, cache_read, cache_write, latency;
};

template <typename Fn>  // void(std::string_view key); takes the value
void each_member(Scanner& scan, Fn&& fn) {
  std::string_view key;
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  while (scan.next_key(key)) fn(key);
}

void read_body(Scanner& scan, Line& line) {
  each_member(scan, [&](std::string_view key) {
    if (key == "usage") {
      each_member(scan, [&](std::string_view name) {
        const std::string_view raw = scan.value();
        if (name == "cacheReadInputTokens" || name == "cacheReadInputTokenCount" ||
            name == "cache_read_input_tokens") {
          line.cache_read = raw;
        }
        if (name == "cacheWriteInputTokens" || name == "cacheWriteInputTokenCount" ||
            name == "cache_creation_input_tokens") {
          line.cache_write = raw;
        }
      });
    } else if (key == "metrics") {
      each_member(scan, [&](std::string_view name) {
        const std::string_view raw = scan.value();
        if (name == "latencyMs") line.latency = raw;
      });
    } else {
      scan.value();
    }
  });
}

void read_input(Scanner& scan, Line& line) {
  each_member(scan, [&](std::string_view key) {
    const std::string_view raw = scan.value();
    if (key == "inputTokenCount") line.input = raw;
    if (key == "cacheReadInputTokenCount") line.cache_read = raw;
    if (key == "cacheWriteInputTokenCount") line.cache_write = raw;
  });
}

void read_output(Scanner& scan, Line& line) {
  each_member(scan, [&](std::string_view key) {
    if (key == "outputBodyJson") {
      read_body(scan, line);
      return;
    }
    const std::string_view raw = scan.value();
    if (key == "outputTokenCount") line.output = raw;
  });
}

bool read_line(std::string_view text, Line& line) {
  Scanner scan(text);
  if (scan.peek() != '{') return false;
  each_member(scan, [&](std::string_view key) {
    if (key == "input") return read_input(scan, line);
    if (key == "output") return read_output(scan, line);
    if (key == "identity") {
      return each_member(scan, [&](std::string_view name) {
        const std::string_view raw = scan.value();
        if (name == "arn") line.arn = raw;
      });
    }
    const std::string_view raw = scan.value();
    if (key == "schemaType") line.schema = raw;
    if (key == "timestamp") line.timestamp = raw;
    if (key == "accountId") line.account = raw;
    if (key == "region") line.region = raw;
    if (key == "requestId") line.request_id = raw;
    if (key == "modelId") line.model = raw;
    if (key == "inferenceRegion") line.inference_region = raw;
  });
  return scan.ok() && scan.at_end();
}

std::string name_in(std::string_view raw) {
  return name_of(string_of(raw).value_or(""));
}

// The last part of an ARN: the model or profile behind "…:inference-profile/", the person or role
// behind "…:user/".
std::string last_part(std::string name) {
  const std::size_t slash = name.rfind('/');
  return name.starts_with("arn:") && slash != std::string::npos ? name.substr(slash + 1) : name;
}

// One record's text, in either form of the log.
class Invocation {
 public:
  static void read(std::string_view text, std::uint64_t number, Sink& sink) {
    Line line;
    if (!read_line(text, line)) {
      sink.skip(number, "damaged JSON");
      return;
    }
    if (line.schema != "\"ModelInvocationLog\"") {
      sink.skip(number, "no record of a model call");
      return;
    }
    domain::UsageRecord record;
    // A date, or a Unix time (of which the size tells the unit), as a number or a text.
    const auto time =
        parse_time_ns(string_of(line.timestamp).value_or(std::string(line.timestamp)));
    bool bad = !time;
    record.usage.input_uncached = count(line.input, bad);
    record.usage.output = count(line.output, bad);
    record.usage.cache_read = count(line.cache_read, bad);
    record.usage.cache_write_5m = count(line.cache_write, bad);
    record.source_id = name_in(line.request_id);
    if (bad || record.source_id.empty()) {
      sink.skip(number, "a call without a time, an identity or believable counts");
      return;
    }
    if (record.usage.total() == 0) return;
    record.format = kName;
    record.provider = "aws-bedrock";
    record.model = last_part(name_in(line.model));
    record.start_unix_ns = record.end_unix_ns = *time;
    record.requests = 1;
    record.region = name_in(line.inference_region.empty() ? line.region : line.inference_region);
    record.workspace = name_in(line.account);
    record.user = last_part(name_in(line.arn));
    if (!line.latency.empty()) record.duration_ns = parse_ms_ns(line.latency);
    record.line = number;
    sink.usage(std::move(record));
  }

 private:
  static std::uint64_t count(std::string_view raw, bool& bad) {
    if (raw.empty() || raw == "null") return 0;
    const auto value = whole_of(raw);
    if (!value || *value > kCountMax) bad = true;
    return value && *value <= kCountMax ? *value : 0;
  }
};

// As S3 has it: a record per line.
class InvocationLines final : public LineImporter {
 protected:
  void line(const LineSplitter::Line& line, Sink& sink) override {
    if (line.too_long) return sink.skip(line.number, "a record is too long");
    if (line.text.find_first_not_of(" \t") != std::string_view::npos) {
      Invocation::read(line.text, line.number, sink);
    }
  }
};

// As tools save it that show it: a list of records, or each over several lines.
class InvocationRecords final : public Importer {
 public:
  void feed(std::string_view piece, Sink& sink) override {
    records_.feed(
        piece, [&](const Element& element) { Invocation::read(element.text, element.line, sink); },
        [&](std::uint64_t line, std::string why) { sink.skip(line, std::move(why)); });
  }
  void finish(Sink& sink) override {
    records_.finish([&](std::uint64_t line, std::string why) { sink.skip(line, std::move(why)); });
  }

 private:
  ElementSplitter records_{{}};
};

// Whether the records are not one a line: a list, or a bracket alone on the first line.
bool is_laid_out(std::string_view head) {
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  const std::size_t next = head.find_first_not_of(" \t\r", first + 1);
  return head[first] == '[' || (next != std::string_view::npos && head[next] == '\n');
}

int recognise(const FileHint& hint) {
  return contains(hint.head, "\"ModelInvocationLog\"") && contains(hint.head, "\"modelId\"") ? 97
                                                                                             : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  if (is_laid_out(hint.head)) return std::make_unique<InvocationRecords>();
  return std::make_unique<InvocationLines>();
}

}  // namespace

const Format& bedrock_format() {
  static constexpr Format kFormat{kName, "AWS Bedrock invocation log", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
