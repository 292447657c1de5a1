#include "gateway/directory.h"

#include "dialects/model_names.h"

namespace fh::gateway {

const ServedModel* ModelDirectory::resolve(std::string_view name) const {
  name = dialects::canonical_model_name(name);
  for (const ServedModel& model : models_) {
    if (model.id == name) return &model;
  }
  for (const ServedModel& model : models_) {
    for (const std::string& alias : model.aliases) {
      if (alias == name) return &model;
    }
  }
  return nullptr;
}

}  // namespace fh::gateway
