#pragma once
// The `system` and `messages` of an Anthropic request; internal to this folder.

#include <set>
#include <string>

#include "base/result.h"
#include "dialects/anthropic/request.h"
#include "dialects/demands.h"
#include "dialects/fields.h"

namespace fh::dialects::anthropic {

// Collects what the blocks say beside the conversation itself.
struct BlockFacts {
  Retention retention = Retention::Unasked;
  StrictFacts strict;
  Demands demands;
  std::set<std::string> referenced_tools;  // by tool_reference blocks
};

base::Status read_system(Value system, domain::Conversation& out, BlockFacts& facts);
base::Status read_messages(Value root, domain::Conversation& out, BlockFacts& facts);
// cache_control of `holder`, whose path is `path`.
base::Status read_cache_control(Value holder, const Path& path, Retention& retention);

}  // namespace fh::dialects::anthropic
