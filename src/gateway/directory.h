#pragma once
// Which model names are served and by which engine. A name is a model's id, one of its aliases, the
// same with the context suffix "[1m]" that a coding client appends, or "anthropic-local/<id>". Any
// other name is not found: a request is never answered by a model that it did not name. Loop thread
// only.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace fh::gateway {

struct ServedModel {
  std::string id;
  std::vector<std::string> aliases;
  std::string display_name;
  std::int64_t created_unix_s = 0;
  std::string upstream = "local";
  engine::Engine* engine = nullptr;  // outlives the directory
  // Facts for the console and `models show`, as JSON members; written by registry, empty for
  // scripted models.
  std::string facts_json;
};

class ModelDirectory {
 public:
  // Pointers to models that are here already stay valid.
  void add(ServedModel model) { models_.push_back(std::move(model)); }
  const ServedModel* resolve(std::string_view name) const;
  const std::deque<ServedModel>& all() const { return models_; }

 private:
  std::deque<ServedModel> models_;
};

}  // namespace fh::gateway
