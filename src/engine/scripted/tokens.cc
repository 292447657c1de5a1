// Tokenizer and prefix cache of the scripted engine; see tokens.h.
#include "engine/scripted/tokens.h"

#include <algorithm>
#include <string_view>

namespace fh::engine::scripted {
namespace {

namespace d = domain;
constexpr std::size_t kTokenBytes = 4;
constexpr std::uint64_t kImageTokens = 256;

void append_marker(std::vector<Token>& tokens, std::string_view name) {
  tokens.push_back(hash_bytes(name, 1));
}

void append_text(std::vector<Token>& tokens, std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += kTokenBytes) {
    tokens.push_back(hash_bytes(text.substr(at, kTokenBytes)));
  }
}

void append_image(std::vector<Token>& tokens, const d::ImagePart& image) {
  const Token whole = hash_bytes(image.base64, hash_bytes(image.url));
  for (std::uint64_t i = 0; i < kImageTokens; ++i) tokens.push_back(whole + i);
}

struct PartTokens {
  std::vector<Token>& tokens;
  void operator()(const d::TextPart& part) const { append_text(tokens, part.text); }
  void operator()(const d::ImagePart& part) const { append_image(tokens, part); }
  void operator()(const d::OpaquePart& part) const { append_text(tokens, part.kind); }
  void operator()(const d::ReasoningPart&) const {}  // earlier thoughts are not part of a prompt
  void operator()(const d::ToolCallPart& part) const {
    append_marker(tokens, "call");
    append_text(tokens, part.name);
    append_text(tokens, part.arguments_json);
  }
  void operator()(const d::ToolResultPart& part) const {
    append_marker(tokens, part.is_error ? "error" : "result");
    append_text(tokens, part.text);
    for (const d::ImagePart& image : part.images) append_image(tokens, image);
  }
};

std::string_view role_marker(d::Role role) {
  switch (role) {
    case d::Role::System: return "system";
    case d::Role::User: return "user";
    case d::Role::Assistant: return "assistant";
    case d::Role::Tool: return "tool";
  }
  return "";
}

template <typename Fn>
void for_each_block(const std::string& tenant, const std::vector<Token>& tokens, Fn fn) {
  std::uint64_t chain = hash_bytes(tenant);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    chain = (chain ^ tokens[i]) * 0x9E3779B97F4A7C15;
    chain ^= chain >> 29;
    if ((i + 1) % PrefixCache::kBlockTokens == 0 && !fn(chain)) return;
  }
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = seed;  // FNV-1a
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

Prompt tokenize(const d::Conversation& conversation) {
  Prompt prompt;
  append_marker(prompt.tokens, "begin");
  for (const d::Tool& tool : conversation.tools) {
    append_marker(prompt.tokens, "declare");
    append_text(prompt.tokens, tool.name);
    append_text(prompt.tokens, tool.description);
    append_text(prompt.tokens, tool.parameters_json);
  }
  prompt.tool_tokens = prompt.tokens.size() - 1;
  for (const d::Message& message : conversation.messages) {
    append_marker(prompt.tokens, role_marker(message.role));
    for (const d::Part& part : message.parts) std::visit(PartTokens{prompt.tokens}, part);
    append_marker(prompt.tokens, "end");
  }
  append_marker(prompt.tokens, role_marker(d::Role::Assistant));
  return prompt;
}

void append_answer(std::vector<Token>& tokens, const std::vector<d::Part>& parts) {
  for (const d::Part& part : parts) std::visit(PartTokens{tokens}, part);
  append_marker(tokens, "end");
}

PrefixCache::Reuse PrefixCache::match(const std::string& tenant,
                                      const std::vector<Token>& tokens) const {
  std::uint64_t known = 0;
  const auto it = tenants_.find(tenant);
  if (it != tenants_.end()) {
    for_each_block(tenant, tokens, [&](std::uint64_t chain) {
      if (!it->second.contains(chain)) return false;
      known += kBlockTokens;
      return true;
    });
  }
  const std::uint64_t whole = tokens.size() / kBlockTokens * kBlockTokens;
  const std::uint64_t reused = known == tokens.size() && known > 0 ? known - kBlockTokens : known;
  return {reused, whole - known};
}

void PrefixCache::store(const std::string& tenant, const std::vector<Token>& tokens) {
  if (blocks_ + tokens.size() / kBlockTokens > kBlocksMax) {
    tenants_.clear();
    blocks_ = 0;
  }
  auto& blocks = tenants_[tenant];
  for_each_block(tenant, tokens, [&](std::uint64_t chain) {
    if (blocks.insert(chain).second) ++blocks_;
    return true;
  });
}

d::Usage prompt_usage(std::uint64_t prompt_tokens, const PrefixCache::Reuse& reuse) {
  d::Usage usage;
  usage.cache_read = std::min(reuse.reused, prompt_tokens);
  usage.cache_write_5m = std::min(reuse.stored, prompt_tokens - usage.cache_read);
  usage.input_uncached = prompt_tokens - usage.cache_read - usage.cache_write_5m;
  return usage;
}

}  // namespace fh::engine::scripted
