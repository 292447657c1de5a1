// AWS Bedrock model invocation logs (schema ModelInvocationLog 1.0): one JSON record per call and
// line as written to S3, behind a time as CloudWatch exports lines, or as the text of a CloudWatch
// event. Prompts and answers stand beside the counts and are jumped over. Cached tokens are counted
// beside the input; where the record's own counts have no cache classes, those of the answer's
// usage object are taken, or, of an answer that was streamed, those of its events.

#include "importers/bedrock.h"

#include <algorithm>
#include <initializer_list>

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
  std::string_view input, output, cache_read, cache_write, cache_write_1h, latency;
  std::string_view event;  // text of the log event that the record stands in
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

// Events of a stream tell growing counts; what is no count stays visible as such.
void take_larger(std::string_view raw, std::string_view& known) {
  if (raw == "null") return;
  if (known.empty() || whole_of(raw).value_or(UINT64_MAX) > whole_of(known).value_or(0)) {
    known = raw;
  }
}

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, key) != names.end();
}

// [{"ttl":"1h","inputTokens":5}, ...]
void read_cache_details(Scanner& scan, Line& line) {
  if (!scan.open_array()) {
    scan.value();
    return;
  }
  while (scan.next_element()) {
    std::string_view lifetime, tokens;
    each_member(scan, [&](std::string_view key) {
      const std::string_view raw = scan.value();
      if (key == "ttl") lifetime = raw;
      if (key == "inputTokens") tokens = raw;
    });
    if (lifetime == "\"1h\"") take_larger(tokens, line.cache_write_1h);
  }
}

void read_usage(Scanner& scan, Line& line) {
  each_member(scan, [&](std::string_view key) {
    if (key == "cacheDetails") return read_cache_details(scan, line);
    if (key == "cache_creation") {
      return each_member(scan, [&](std::string_view lifetime) {
        const std::string_view raw = scan.value();
        if (lifetime == "ephemeral_1h_input_tokens") take_larger(raw, line.cache_write_1h);
      });
    }
    const std::string_view raw = scan.value();
    if (is_one_of(
            key, {"cacheReadInputTokens", "cacheReadInputTokenCount", "cache_read_input_tokens"})) {
      take_larger(raw, line.cache_read);
    }
    if (is_one_of(key, {"cacheWriteInputTokens", "cacheWriteInputTokenCount",
                        "cache_creation_input_tokens"})) {
      take_larger(raw, line.cache_write);
    }
  });
}

// An answer, or one event of a streamed one.
void read_answer(Scanner& scan, Line& line) {
  each_member(scan, [&](std::string_view key) {
    if (key == "usage" || key == "amazon-bedrock-invocationMetrics") return read_usage(scan, line);
    if (key == "message" || key == "metadata") {
      return each_member(scan, [&](std::string_view name) {
        name == "usage" ? read_usage(scan, line) : void(scan.value());
      });
    }
    if (key != "metrics") {
      scan.value();
      return;
    }
    each_member(scan, [&](std::string_view name) {
      const std::string_view raw = scan.value();
      if (name == "latencyMs") line.latency = raw;
    });
  });
}

void read_body(Scanner& scan, Line& line) {
  if (!scan.open_array()) return read_answer(scan, line);
  while (scan.next_element()) read_answer(scan, line);
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
    if (key == "message" || key == "@message") line.event = raw;
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

// Lines of CloudWatch's exports begin with the time of the event.
std::string_view without_time(std::string_view text) {
  const std::size_t brace = std::min(text.find('{'), text.size());
  return brace != 0 && parse_time_ns(trimmed(text.substr(0, brace))) ? text.substr(brace) : text;
}

std::uint64_t count(std::string_view raw, bool& bad) {
  if (raw.empty() || raw == "null") return 0;
  const auto value = whole_of(raw);
  if (!value || *value > kCountMax) bad = true;
  return value && *value <= kCountMax ? *value : 0;
}

class Invocations final : public LineImporter {
 protected:
  void line(const LineSplitter::Line& line, Sink& sink) override {
    if (line.too_long) return sink.skip(line.number, "a record is too long");
    if (line.text.find_first_not_of(" \t") != std::string_view::npos) {
      read(without_time(line.text), line.number, sink);
    }
  }

 private:
  static void read(std::string_view text, std::uint64_t number, Sink& sink) {
    Line line;
    if (!read_line(text, line)) return sink.skip(number, "damaged JSON");
    if (line.schema.empty() && !line.event.empty()) {
      const std::string inner = string_of(line.event).value_or(std::string(line.event));
      line = {};
      if (!read_line(inner, line)) return sink.skip(number, "no record of a model call");
      return give(line, number, sink);
    }
    give(line, number, sink);
  }

  static void give(const Line& line, std::uint64_t number, Sink& sink) {
    if (line.schema != "\"ModelInvocationLog\"") {
      return sink.skip(number, "no record of a model call");
    }
    domain::UsageRecord record;
    // A date, or a Unix time (of which the size tells the unit), as a number or a text.
    const auto time =
        parse_time_ns(string_of(line.timestamp).value_or(std::string(line.timestamp)));
    bool bad = !time;
    record.usage.input_uncached = count(line.input, bad);
    record.usage.output = count(line.output, bad);
    record.usage.cache_read = count(line.cache_read, bad);
    const std::uint64_t written = count(line.cache_write, bad);
    record.usage.cache_write_1h = std::min(count(line.cache_write_1h, bad), written);
    record.usage.cache_write_5m = written - record.usage.cache_write_1h;
    record.source_id = name_in(line.request_id);
    if (bad || record.source_id.empty()) {
      return sink.skip(number, "a call without a time, an identity or believable counts");
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
};

// Lists of log events in what CloudWatch answers and sends.
constexpr std::string_view kEvents[] = {"events", "logEvents"};

// Whether the records are the texts of log events: there their quotes are escaped.
bool is_escaped(std::string_view head) {
  return contains(head, "\\\"ModelInvocationLog\\\"") && contains(head, "\\\"modelId\\\"");
}

int recognise(const FileHint& hint) {
  if (contains(hint.head, "\"ModelInvocationLog\"") && contains(hint.head, "\"modelId\"")) {
    return 97;
  }
  // Also what a conversation about such logs looks like: whatever else is recognised is surer.
  return is_escaped(hint.head) ? 45 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  auto lines = std::make_unique<Invocations>();
  if (!LaidOutRecords::is_laid_out(hint.head) && !is_escaped(hint.head)) return lines;
  return std::make_unique<LaidOutRecords>(std::move(lines), kEvents);
}

}  // namespace

const Format& bedrock_format() {
  static constexpr Format kFormat{kName, "AWS Bedrock invocation log", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
