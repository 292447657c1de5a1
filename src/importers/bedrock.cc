// AWS Bedrock model invocation logs (schema ModelInvocationLog 1.0), as written to S3: one JSON
// record per call and line. Prompts and answers stand beside the counts and are jumped over. Cached
// tokens are counted beside the input; where the record's own counts have no cache classes, those
// of the answer's usage object are taken.

#include "importers/bedrock.h"

#include "codec/json_scan.h"
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

class InvocationLog final : public Importer {
 public:
  void feed(std::string_view piece, Sink& sink) override {
    lines_.feed(piece, [&](const LineSplitter::Line& line) { read(line, sink); });
  }
  void finish(Sink& sink) override {
    lines_.finish([&](const LineSplitter::Line& line) { read(line, sink); });
  }

 private:
  static void read(const LineSplitter::Line& at, Sink& sink) {
    if (at.text.find_first_not_of(" \t") == std::string_view::npos && !at.too_long) return;
    Line line;
    if (at.too_long || !read_line(at.text, line)) {
      sink.skip(at.number, at.too_long ? "a record is too long" : "damaged JSON");
      return;
    }
    if (line.schema != "\"ModelInvocationLog\"") {
      sink.skip(at.number, "no record of a model call");
      return;
    }
    domain::UsageRecord record;
    const auto time = parse_time_ns(string_of(line.timestamp).value_or(""));
    bool bad = !time;
    record.usage.input_uncached = count(line.input, bad);
    record.usage.output = count(line.output, bad);
    record.usage.cache_read = count(line.cache_read, bad);
    record.usage.cache_write_5m = count(line.cache_write, bad);
    record.source_id = name_in(line.request_id);
    if (bad || record.source_id.empty()) {
      sink.skip(at.number, "a call without a time, an identity or believable counts");
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
    record.line = at.number;
    sink.usage(std::move(record));
  }

  static std::uint64_t count(std::string_view raw, bool& bad) {
    if (raw.empty() || raw == "null") return 0;
    const auto value = whole_of(raw);
    if (!value || *value > kCountMax) bad = true;
    return value && *value <= kCountMax ? *value : 0;
  }

  LineSplitter lines_;
};

int recognise(const FileHint& hint) {
  return contains(hint.head, "\"ModelInvocationLog\"") && contains(hint.head, "\"modelId\"") ? 97
                                                                                             : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<InvocationLog>();
}

}  // namespace

const Format& bedrock_format() {
  static constexpr Format kFormat{kName, "AWS Bedrock invocation log", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
