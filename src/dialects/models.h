#pragma once
// GET /v1/models and GET /v1/models/{id}. One route, three readers: OpenAI clients read data[].id,
// Anthropic's read display_name, the token limits and the paging members, Codex reads `models`.
// Sent is the union of all.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::dialects {

struct ModelCard {
  std::string id;
  std::string display_name;  // empty: the id
  std::int64_t created_unix_s = 0;
  std::uint32_t context_tokens = 0;     // what one request can really use; 0 = not known yet
  std::uint32_t output_tokens_max = 0;  // 0 = as much as the context holds
  bool tools = false;
  bool images = false;
  bool reasoning = false;
  bool chat = true;  // false: embeddings and the like; gets no alias
};

struct ModelsQuery {
  std::size_t limit = 1000;
  std::string after_id;
  std::string before_id;
  bool aliases = true;  // offer "anthropic-local/<id>" beside each chat model
};
inline constexpr std::size_t kModelsLimitMax = 1000;

// Values of the query members of the same names; empty = not given. Errors: InvalidArgument on a
// bad limit.
base::Result<ModelsQuery> models_query(std::string_view limit, std::string_view after_id,
                                       std::string_view before_id);
std::string models_body(std::span<const ModelCard> cards, const ModelsQuery& query);

// By id, alias or id with window suffix; nullptr if none.
const ModelCard* find_model(std::span<const ModelCard> cards, std::string_view requested);
// `requested`: the name asked for, which is the id of the reply.
std::string model_body(const ModelCard& card, std::string_view requested);

// The error of an unknown model: NotFound, reason "model_not_found".
base::Error model_not_found(std::string_view requested);

}  // namespace fh::dialects
