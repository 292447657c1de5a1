#pragma once
// OpenAI's organization API as a source of pulls: usage of completions and embeddings, and costs.

#include "importers/pull.h"

namespace fh::importers {
const PullProvider& openai_pull();
}  // namespace fh::importers
