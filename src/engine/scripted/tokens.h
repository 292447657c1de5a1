#pragma once
// The scripted engine's tokenizer and prefix cache: simple, deterministic, and with the properties
// that matter above it. Four bytes of content are one token, each message costs two more, tools
// count; the tokens of a conversation are a prefix of the tokens of the same conversation with more
// messages. Reuse goes by whole blocks within one tenant.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "domain/conversation.h"
#include "domain/usage.h"

namespace fh::engine::scripted {

using Token = std::uint64_t;  // a hash of its bytes

struct Prompt {
  std::vector<Token> tokens;      // ends where the answer begins
  std::uint64_t tool_tokens = 0;  // of these, what the tool definitions take
};
Prompt tokenize(const domain::Conversation& conversation);
// What the answer adds, as it will be seen in the next turn's prompt.
void append_answer(std::vector<Token>& tokens, const std::vector<domain::Part>& parts);

class PrefixCache {
 public:
  static constexpr std::uint64_t kBlockTokens = 16;

  struct Reuse {
    std::uint64_t reused = 0;  // at least one token is always computed
    std::uint64_t stored = 0;  // tokens of whole blocks that this prompt adds to the cache
  };
  Reuse match(const std::string& tenant, const std::vector<Token>& tokens) const;
  void store(const std::string& tenant, const std::vector<Token>& tokens);
  std::uint64_t tokens_used() const { return blocks_ * kBlockTokens; }

 private:
  static constexpr std::size_t kBlocksMax = 1 << 20;
  std::map<std::string, std::unordered_set<std::uint64_t>>
      tenants_;  // keys: hash of all tokens up to a block's end
  std::uint64_t blocks_ = 0;
};

// The buckets of a prompt of which `reuse` came from the cache.
domain::Usage prompt_usage(std::uint64_t prompt_tokens, const PrefixCache::Reuse& reuse);

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0xCBF29CE484222325);

}  // namespace fh::engine::scripted
