#pragma once
// Questions about parts of a schema that its conversion to a grammar asks. Pure functions.

#include <set>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "engine/llama/json_schema.h"

namespace fh::engine::llama {

// The types that `type` names, "integer" as "number"; empty: it names none.
std::set<std::string_view> types_of(codec::json::Value part);
// The values of `const` or `enum`.
std::vector<codec::json::Value> listed_values(codec::json::Value part);
bool requires_member(codec::json::Value part, std::string_view key);
// Whether no value can satisfy two of the choices, so that oneOf means the same as anyOf. False
// when that cannot be seen from types, listed values and required members.
bool exclusive_choices(const JsonSchema& schema, codec::json::Value choices);

}  // namespace fh::engine::llama
