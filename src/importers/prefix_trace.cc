// See prefix_trace.h.

#include "importers/prefix_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "importers/importer.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Document;
using codec::json::Value;

constexpr std::size_t kDepthMax = 8;  // of sub-agents in sub-agents

base::Result<std::uint64_t> count_in(const Value& object, std::string_view key) {
  const Value value = object[key];
  const auto count = value.exists() ? count_of(value) : std::nullopt;
  if (!count || *count > kCountMax) {
    return base::fail(base::Code::InvalidArgument,
                      fmt::format("{} is missing or not a believable count", key));
  }
  return *count;
}

base::Status read_blocks(const Value& list, std::vector<std::uint64_t>& out) {
  out.reserve(list.size());
  for (const Value& id : list.elements()) {
    const auto hash = parse_count(number_text(id));
    if (!hash) return base::fail(base::Code::InvalidArgument, "hash_ids holds what is no hash");
    out.push_back(*hash);
  }
  return {};
}

std::optional<std::int64_t> seconds_in(const Value& object, std::string_view key) {
  return parse_seconds_ns(number_text(object[key]));
}

base::Result<PrefixRequest> read_session_request(const Value& value) {
  PrefixRequest request;
  const auto start = seconds_in(value, "t");
  if (!start) return base::fail(base::Code::InvalidArgument, "t is missing or not a time");
  request.start_ns = *start;
  FH_TRY(request.input, count_in(value, "in"));
  FH_TRY(request.output, count_in(value, "out"));
  FH_TRY_VOID(read_blocks(value["hash_ids"], request.blocks));
  request.model = name_of(value["model"].as_string().value_or(""));
  request.duration_ns = seconds_in(value, "api_time");
  request.ttft_ns = seconds_in(value, "ttft");
  return request;
}

// Where a list of requests stands: at what time, inside which sub-agent.
struct Frame {
  std::int64_t base_ns = 0;
  std::string path, agent;
  std::size_t depth = 0;
};

void read_session_list(const Value& list, const Frame& frame, PrefixTrace& out) {
  std::size_t index = 0;
  for (const Value& value : list.elements()) {
    const std::string path = fmt::format("{}{}", frame.path, index++);
    if (value["requests"].is_array()) {
      const auto start = seconds_in(value, "t");
      if (!start || frame.depth == kDepthMax) {
        ++out.refused;
        continue;
      }
      std::string agent = name_of(value["subagent_type"].as_string().value_or("subagent"));
      read_session_list(
          value["requests"],
          {saturating_add(frame.base_ns, *start), path + ".", std::move(agent), frame.depth + 1},
          out);
      continue;
    }
    auto request = read_session_request(value);
    if (!request) {
      ++out.refused;
      continue;
    }
    request->start_ns = saturating_add(request->start_ns, frame.base_ns);
    request->path = path;
    request->agent = frame.agent;
    out.requests.push_back(std::move(*request));
  }
}

// Requests of one instant stay in the order of the file.
void sort_by_start(PrefixTrace& trace) {
  std::vector<std::size_t> order(trace.requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const std::int64_t at_a = trace.requests[a].start_ns, at_b = trace.requests[b].start_ns;
    return at_a != at_b ? at_a < at_b : a < b;
  });
  std::vector<PrefixRequest> sorted;
  sorted.reserve(order.size());
  for (const std::size_t index : order) sorted.push_back(std::move(trace.requests[index]));
  trace.requests = std::move(sorted);
}

}  // namespace

base::Result<PrefixTrace> read_session_trace(std::string_view json) {
  codec::json::Limits limits;
  limits.values_max = 16'000'000;  // one per block of every prompt
  FH_TRY(const Document document, Document::parse(json, limits));
  const Value root = document.root();
  PrefixTrace trace;
  if (!root["requests"].is_array()) {
    return base::fail(base::Code::InvalidArgument, "a session trace has a list of requests");
  }
  FH_TRY(trace.block_tokens, count_in(root, "block_size"));
  if (trace.block_tokens == 0 || trace.block_tokens > 1'000'000) {
    return base::fail(base::Code::InvalidArgument, "block_size is not a believable block size");
  }
  trace.id = name_of(root["id"].as_string().value_or(""));
  read_session_list(root["requests"], {}, trace);
  sort_by_start(trace);
  return trace;
}

namespace {

base::Result<PrefixRequest> read_request_line(std::string_view line, bool in_seconds) {
  FH_TRY(const Document document, Document::parse(line));
  const Value root = document.root();
  PrefixRequest request;
  const std::string_view time = number_text(root["timestamp"]);
  const auto start = in_seconds ? parse_seconds_ns(time) : parse_ms_ns(time);
  if (!start) return base::fail(base::Code::InvalidArgument, "timestamp is missing or no time");
  request.start_ns = *start;
  FH_TRY(request.input, count_in(root, "input_length"));
  FH_TRY(request.output, count_in(root, "output_length"));
  FH_TRY_VOID(read_blocks(root["hash_ids"], request.blocks));
  return request;
}

}  // namespace

base::Result<PrefixRequest> read_mooncake_line(std::string_view line) {
  return read_request_line(line, false);
}

base::Result<PrefixRequest> read_bailian_line(std::string_view line) {
  return read_request_line(line, true);
}

base::Result<PrefixTrace> read_mooncake_trace(std::string_view jsonl) {
  PrefixTrace trace;
  trace.block_tokens = kMooncakeBlockTokens;
  LineSplitter lines;
  const auto take = [&](const LineSplitter::Line& line) {
    if (!line.too_long && trimmed(line.text).empty()) return;
    auto request = read_mooncake_line(line.text);
    if (!request) {
      ++trace.refused;
      return;
    }
    trace.requests.push_back(std::move(*request));
  };
  lines.feed(jsonl, take);
  lines.finish(take);
  if (trace.requests.empty()) {
    return base::fail(base::Code::InvalidArgument, "the file holds no request of a Mooncake trace");
  }
  sort_by_start(trace);
  return trace;
}

std::uint64_t PrefixCache::serve(const PrefixRequest& request) {
  std::uint64_t leading = 0;
  for (const std::uint64_t block : request.blocks) {
    const auto at = used_at_.find(block);
    if (at == used_at_.end()) break;
    if (lifetime_ns_ && request.start_ns - at->second > *lifetime_ns_) break;
    ++leading;
  }
  for (const std::uint64_t block : request.blocks) used_at_[block] = request.start_ns;
  return std::min(leading * block_tokens_, request.input);
}

PrefixShare& PrefixShare::operator+=(const PrefixShare& other) {
  hit_tokens = saturating_add(hit_tokens, other.hit_tokens);
  input_tokens = saturating_add(input_tokens, other.input_tokens);
  output_tokens = saturating_add(output_tokens, other.output_tokens);
  requests += other.requests;
  return *this;
}

PrefixShare prefix_share(const PrefixTrace& trace, std::optional<std::int64_t> lifetime_ns) {
  PrefixCache cache(trace.block_tokens, lifetime_ns);
  PrefixShare share;
  for (const PrefixRequest& request : trace.requests) {
    share += {cache.serve(request), request.input, request.output, 1};
  }
  return share;
}

}  // namespace fh::importers
