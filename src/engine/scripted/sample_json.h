#pragma once
// A small value that satisfies a JSON schema: what the scripted engine answers where a real one
// would be held to the schema by a grammar. Knows type, enum, const, properties, required, items,
// prefixItems, minItems, bounds of numbers, multipleOf, lengths, the common formats, anyOf, oneOf,
// allOf and local $ref. What it cannot satisfy (patterns, deep recursion, an impossible schema) is
// an error, never a wrong value.

#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::engine::scripted {

// One JSON value as text. Error InvalidArgument: the schema is no JSON, or asks for what is not
// known here.
base::Result<std::string> sample_json(std::string_view schema);

}  // namespace fh::engine::scripted
