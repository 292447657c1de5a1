#pragma once
// Parked KV blocks in RAM: a tree over tokens, one per tenant. Each node is one block of a fixed
// number of tokens at fixed positions (multiples of the block size from 0), so two conversations
// that begin alike share their blocks. A shorter block may stand at the end of a chain, for those
// who ask for exactly its tokens. A match is confirmed by comparing tokens, never by a hash. A
// tenant never sees another's blocks.
//
// Eviction is by value: leaves go first, and among leaves the one with the lowest
//   tokens from the start of the conversation to the leaf's end / (1 + uses of the store since it
//   was last used),
// so that a stream of short side requests consumes its own blocks before those of a long
// conversation. Pure bookkeeping: copying KV in and out is done by its owner (kv_pool.h). Not
// thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llama/kv_memory.h"

namespace fh::engine::llama {

class PrefixTree {
 public:
  struct Options {
    std::uint32_t block_tokens = 128;
    std::uint64_t bytes_max = 0;  // of block data and tokens; 0 = nothing is stored
  };
  explicit PrefixTree(const Options& options);
  ~PrefixTree();
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  struct Match {
    std::uint32_t tokens = 0;                              // a multiple of block_tokens
    std::vector<std::shared_ptr<const BlockData>> blocks;  // stay valid when evicted
  };
  // The longest stored beginning of `tokens`; a use of the store.
  Match find(std::string_view tenant, std::span<const Token> tokens);
  // Tokens of the longest stored beginning in whole blocks; not a use.
  std::uint32_t stored(std::string_view tenant, std::span<const Token> tokens) const;
  // The block behind the last whole one that ends exactly where `tokens` end; null if there is
  // none. A use of the store.
  std::shared_ptr<const BlockData> find_end(std::string_view tenant, std::span<const Token> tokens);
  bool has_end(std::string_view tenant, std::span<const Token> tokens) const;

  // Stores the last block of `tokens`: a whole one, or what lies behind the last whole one. False
  // when the blocks before it are not stored, or it is worth less than what would have to go.
  // Storing what is there already refreshes it.
  bool insert(std::string_view tenant, std::span<const Token> tokens, BlockData data);
  // Forgets the block that ends `tokens` and everything built on it (a block that turned out to be
  // damaged).
  void erase(std::string_view tenant, std::span<const Token> tokens);

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t bytes_max() const { return options_.bytes_max; }
  std::size_t blocks() const { return blocks_; }
  std::uint64_t evictions() const { return evictions_; }
  std::uint32_t block_tokens() const { return options_.block_tokens; }

 private:
  struct Node;
  Node* child(const Node& parent, std::span<const Token> block) const;
  // Walks as far as blocks match.
  Node* walk(std::string_view tenant, std::span<const Token> tokens, bool use) const;
  // The node whose block ends `tokens`, whole or short; null if there is none.
  Node* node_at(std::string_view tenant, std::span<const Token> tokens) const;
  double value(const Node& node) const;
  void remove_leaf(Node* leaf);
  void remove_tree(Node* node);
  bool make_room(std::uint64_t bytes, const Node* keep, double newcomer_value);

  Options options_;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> roots_;
  std::set<Node*> leaves_;
  std::uint64_t bytes_ = 0;
  std::size_t blocks_ = 0;
  std::uint64_t evictions_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace fh::engine::llama
