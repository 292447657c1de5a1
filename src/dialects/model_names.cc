// Names under which clients ask for a model; see model_names.h.

#include "dialects/model_names.h"

namespace fh::dialects {

std::string_view without_window_suffix(std::string_view name) {
  if (name.size() > 4 && (name.ends_with("[1m]") || name.ends_with("[1M]"))) {
    name.remove_suffix(4);
  }
  return name;
}

std::string_view canonical_model_name(std::string_view requested) {
  std::string_view name = without_window_suffix(requested);
  if (name.size() > kAliasPrefix.size() && name.starts_with(kAliasPrefix)) {
    name.remove_prefix(kAliasPrefix.size());
  }
  return name;
}

std::string alias_of(std::string_view model_id) {
  return std::string(kAliasPrefix) + std::string(model_id);
}

}  // namespace fh::dialects
