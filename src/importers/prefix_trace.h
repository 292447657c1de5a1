#pragma once
// Public traces that carry the hashes of each prompt's blocks, and what a prefix cache would have
// served of them: the share of input tokens that stand in leading blocks which an earlier request
// has brought in, for a cache of any size whose entries live for a given time after their last use.
//
//   hit tokens of a request = min(leading blocks that are alive x block size, input tokens)
//
// Mooncake (FAST'25): one request per line, {"timestamp" ms, "input_length", "output_length",
// "hash_ids"} in blocks of 512 tokens. Bailian: the same with conversations named, times in seconds
// and blocks of 16 tokens, each hashed by itself. Session traces (kv-cache-tester): one file per
// Claude Code session, block size in the file, requests of sub-agents nested, their times counted
// from the sub-agent's start.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace fh::importers {

inline constexpr std::uint64_t kMooncakeBlockTokens = 512;
inline constexpr std::uint64_t kBailianBlockTokens = 16;

struct PrefixRequest {
  std::int64_t start_ns = 0;  // since the trace began
  std::uint64_t input = 0, output = 0;
  std::vector<std::uint64_t> blocks;
  std::string path;   // where it stands in a session, "12", in a sub-agent "12.3"; mooncake: ""
  std::string model;  // empty: not told
  std::string agent;  // kind of the sub-agent; empty: the session itself
  std::optional<std::int64_t> duration_ns, ttft_ns;
};

struct PrefixTrace {
  std::string id;  // of the session; mooncake: ""
  std::uint64_t block_tokens = 0;
  std::vector<PrefixRequest> requests;  // by start
  std::uint64_t refused = 0;            // requests without believable numbers, left out
};

// Error: InvalidArgument for what is not the format.
base::Result<PrefixTrace> read_session_trace(std::string_view json);
// One line, without hash_ids a request without blocks. Error: InvalidArgument.
base::Result<PrefixRequest> read_mooncake_line(std::string_view line);
base::Result<PrefixRequest> read_bailian_line(std::string_view line);
// The whole file; lines that are damaged are counted in `refused`.
base::Result<PrefixTrace> read_mooncake_trace(std::string_view jsonl);

// A prefix cache without bound of size, asked in order of start. One thread.
class PrefixCache {
 public:
  // `lifetime_ns`: how long a block lives after its last use; nullopt: for ever.
  explicit PrefixCache(std::uint64_t block_tokens,
                       std::optional<std::int64_t> lifetime_ns = std::nullopt)
      : block_tokens_(block_tokens), lifetime_ns_(lifetime_ns) {}
  // Tokens of the request that the cache serves; its blocks are then used at `request.start_ns`.
  std::uint64_t serve(const PrefixRequest& request);
  std::size_t blocks() const { return used_at_.size(); }

 private:
  std::uint64_t block_tokens_;
  std::optional<std::int64_t> lifetime_ns_;
  std::unordered_map<std::uint64_t, std::int64_t> used_at_;
};

struct PrefixShare {
  std::uint64_t hit_tokens = 0, input_tokens = 0, output_tokens = 0, requests = 0;
  double share() const {
    return input_tokens == 0 ? 0
                             : static_cast<double>(hit_tokens) / static_cast<double>(input_tokens);
  }
  PrefixShare& operator+=(const PrefixShare& other);
};

// Over one trace; hashes of different traces are different blocks, so shares of several are added.
PrefixShare prefix_share(const PrefixTrace& trace,
                         std::optional<std::int64_t> lifetime_ns = std::nullopt);

}  // namespace fh::importers
