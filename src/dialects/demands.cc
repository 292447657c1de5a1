// What a request demands of a model; see demands.h.

#include "dialects/demands.h"

#include "dialects/failures.h"

namespace fh::dialects {

void note_demand(const domain::Part& part, const Path& path, Demands& demands) {
  if (std::holds_alternative<domain::ImagePart>(part)) {
    if (demands.image_field.empty()) demands.image_field = path.text();
  } else if (const auto* opaque = std::get_if<domain::OpaquePart>(&part)) {
    if (!demands.other_field.empty()) return;
    demands.other_field = path.text();
    demands.other_kind = opaque->kind;
  }
}

base::Status check_demands(const Demands& demands, bool model_reads_images) {
  if (!demands.image_field.empty() && !model_reads_images) {
    return base::fail_field(demands.image_field, "this model does not read images",
                            std::string(kReasonImages));
  }
  if (!demands.other_field.empty()) {
    return base::fail_field(demands.other_field,
                            "this model does not read content of type " + demands.other_kind,
                            std::string(kReasonContent));
  }
  return {};
}

}  // namespace fh::dialects
