#pragma once
// domain::Generation as JSON, the larger part of a Prepare payload. Texts that are JSON themselves
// (tool schemas, arguments) travel as strings, so that their bytes stay as they were received.

#include "base/result.h"
#include "codec/json.h"
#include "domain/conversation.h"

namespace fh::engine::protocol {

void write_generation(codec::json::Writer& out, const domain::Generation& generation);
base::Result<domain::Generation> read_generation(codec::json::Value value);

}  // namespace fh::engine::protocol
