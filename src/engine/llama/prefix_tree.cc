// The tree of parked blocks; see prefix_tree.h.
#include "engine/llama/prefix_tree.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"

namespace fh::engine::llama {
namespace {

// Finds candidates only; equality of tokens decides.
std::uint64_t hash_of(std::span<const Token> tokens) {
  std::uint64_t h = 1469598103934665603ULL;  // FNV-1a
  for (const Token t : tokens) {
    h ^= static_cast<std::uint32_t>(t);
    h *= 1099511628211ULL;
  }
  return h;
}

}  // namespace

struct PrefixTree::Node {
  Node* parent = nullptr;  // null: the root of a tenant
  std::string tenant;      // roots only
  std::uint64_t hash = 0;
  std::vector<Token> tokens;
  std::shared_ptr<const BlockData> data;
  std::uint32_t end = 0;  // tokens from the start of the conversation to the end of this block
  mutable std::uint64_t last_use = 0;
  std::unordered_multimap<std::uint64_t, std::unique_ptr<Node>> children;

  std::uint64_t bytes() const { return data->size() + tokens.size() * sizeof(Token); }
};

PrefixTree::PrefixTree(const Options& options) : options_(options) {}

PrefixTree::~PrefixTree() {
  // Not by recursion of destructors: a chain is as long as a conversation.
  while (!roots_.empty()) remove_tree(roots_.begin()->second.get());
}

PrefixTree::Node* PrefixTree::child(const Node& parent, std::span<const Token> block) const {
  const auto [first, last] = parent.children.equal_range(hash_of(block));
  for (auto it = first; it != last; ++it) {
    if (std::ranges::equal(it->second->tokens, block)) return it->second.get();
  }
  return nullptr;
}

PrefixTree::Node* PrefixTree::walk(std::string_view tenant, std::span<const Token> tokens,
                                   bool use) const {
  const auto root = roots_.find(tenant);
  if (root == roots_.end()) return nullptr;
  Node* node = root->second.get();
  while (tokens.size() >= options_.block_tokens) {
    Node* next = child(*node, tokens.first(options_.block_tokens));
    if (next == nullptr) break;
    if (use) next->last_use = uses_;
    node = next;
    tokens = tokens.subspan(options_.block_tokens);
  }
  return node;
}

PrefixTree::Node* PrefixTree::node_at(std::string_view tenant,
                                      std::span<const Token> tokens) const {
  Node* node = walk(tenant, tokens, false);
  const std::size_t rest = tokens.size() % options_.block_tokens;
  if (node == nullptr || node->end != tokens.size() - rest) return nullptr;
  return rest == 0 ? node : child(*node, tokens.last(rest));
}

PrefixTree::Match PrefixTree::find(std::string_view tenant, std::span<const Token> tokens) {
  ++uses_;
  Match match;
  const Node* node = walk(tenant, tokens, true);
  if (node == nullptr) return match;
  match.tokens = node->end;
  for (; node->parent != nullptr; node = node->parent) match.blocks.push_back(node->data);
  std::ranges::reverse(match.blocks);
  return match;
}

std::uint32_t PrefixTree::stored(std::string_view tenant, std::span<const Token> tokens) const {
  const Node* node = walk(tenant, tokens, false);
  return node == nullptr ? 0 : node->end;
}

std::shared_ptr<const BlockData> PrefixTree::find_end(std::string_view tenant,
                                                      std::span<const Token> tokens) {
  const Node* node = node_at(tenant, tokens);
  if (node == nullptr || tokens.size() % options_.block_tokens == 0) return nullptr;
  node->last_use = ++uses_;
  return node->data;
}

bool PrefixTree::has_end(std::string_view tenant, std::span<const Token> tokens) const {
  return tokens.size() % options_.block_tokens != 0 && node_at(tenant, tokens) != nullptr;
}

double PrefixTree::value(const Node& node) const {
  return static_cast<double>(node.end) / (1.0 + static_cast<double>(uses_ - node.last_use));
}

void PrefixTree::remove_leaf(Node* leaf) {
  leaves_.erase(leaf);
  Node* parent = leaf->parent;
  if (parent == nullptr) return;
  bytes_ -= leaf->bytes();
  --blocks_;
  const auto [first, last] = parent->children.equal_range(leaf->hash);
  for (auto it = first; it != last; ++it) {
    if (it->second.get() != leaf) continue;
    parent->children.erase(it);
    break;
  }
  if (!parent->children.empty()) return;
  if (parent->parent != nullptr) {
    leaves_.insert(parent);
  } else {
    const auto root = roots_.find(parent->tenant);
    if (root != roots_.end() && root->second.get() == parent) roots_.erase(root);
  }
}

void PrefixTree::remove_tree(Node* node) {
  if (node == nullptr) return;
  // Deepest first, so that every removal is that of a leaf.
  std::vector<Node*> order{node};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (auto& [hash, next] : order[i]->children) order.push_back(next.get());
  }
  std::ranges::reverse(order);
  if (order.back()->parent == nullptr) order.pop_back();  // a root goes with its last child
  for (Node* leaf : order) {
    leaves_.insert(leaf);
    remove_leaf(leaf);
  }
}

bool PrefixTree::make_room(std::uint64_t bytes, const Node* keep, double newcomer_value) {
  if (bytes > options_.bytes_max) return false;
  while (bytes_ + bytes > options_.bytes_max) {
    Node* victim = nullptr;
    for (Node* leaf : leaves_) {
      if (leaf == keep) continue;
      if (victim == nullptr || value(*leaf) < value(*victim)) victim = leaf;
    }
    if (victim == nullptr || value(*victim) > newcomer_value) return false;
    remove_leaf(victim);
    ++evictions_;
  }
  return true;
}

bool PrefixTree::insert(std::string_view tenant, std::span<const Token> tokens, BlockData data) {
  if (tokens.empty()) {
    FH_BUG("an empty block");
    return false;
  }
  const std::size_t rest = tokens.size() % options_.block_tokens;
  const std::size_t size = rest == 0 ? options_.block_tokens : rest;
  const auto before = tokens.first(tokens.size() - size);
  const auto block = tokens.last(size);
  Node* parent = walk(tenant, before, true);
  if (parent != nullptr && parent->end != before.size()) return false;
  if (parent == nullptr && !before.empty()) return false;
  if (parent != nullptr) {
    if (Node* same = child(*parent, block)) {
      same->last_use = uses_;
      return true;
    }
  }
  auto node = std::make_unique<Node>();
  node->tokens.assign(block.begin(), block.end());
  node->data = std::make_shared<const BlockData>(std::move(data));
  node->hash = hash_of(block);
  node->end = static_cast<std::uint32_t>(tokens.size());
  node->last_use = uses_;
  if (!make_room(node->bytes(), parent, value(*node))) return false;
  // Making room may have emptied this tenant's tree; its root is made again then.
  auto root = roots_.find(tenant);
  if (root == roots_.end()) {
    if (!before.empty()) return false;
    auto fresh = std::make_unique<Node>();
    fresh->tenant = tenant;
    root = roots_.emplace(std::string(tenant), std::move(fresh)).first;
  }
  if (before.empty()) parent = root->second.get();
  node->parent = parent;
  leaves_.erase(parent);
  leaves_.insert(node.get());
  bytes_ += node->bytes();
  ++blocks_;
  const std::uint64_t hash = node->hash;
  parent->children.emplace(hash, std::move(node));
  return true;
}

void PrefixTree::erase(std::string_view tenant, std::span<const Token> tokens) {
  Node* node = node_at(tenant, tokens);
  if (node == nullptr || node->parent == nullptr) return;
  remove_tree(node);
}

}  // namespace fh::engine::llama
