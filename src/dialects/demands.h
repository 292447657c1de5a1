#pragma once
// What a request demands of a model beyond reading text, and where in the request it does so. The
// refusal of a model that cannot names the client's own part ("messages.2.content.1"), the same
// whichever engine serves the model; in the canonical conversation those places are no longer to be
// seen.

#include <string>

#include "base/result.h"
#include "dialects/fields.h"
#include "domain/conversation.h"

namespace fh::dialects {

// Only what cannot be left out: images inside tool results are replaced by a note for text models
// (content.h) and do not count.
struct Demands {
  std::string image_field;  // the first image; empty: none
  std::string other_field;  // the first part that no model here takes; empty: none
  std::string other_kind;   // its wire name
};

// Takes note of `part`, which the client sent at `path`.
void note_demand(const domain::Part& part, const Path& path, Demands& demands);

// InvalidArgument at the part: reason "images_unsupported" unless the model reads images, or
// "content_unsupported".
base::Status check_demands(const Demands& demands, bool model_reads_images);

}  // namespace fh::dialects
