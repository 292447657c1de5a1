// When two parts of a schema exclude each other.
#include "engine/llama/grammar_parts.h"

#include <algorithm>
#include <iterator>

namespace fh::engine::llama {
namespace {

using codec::json::Value;
using Types = std::set<std::string_view>;

constexpr std::size_t kChoicesMax = 200;  // pairs are compared
constexpr int kDepthMax = 4;

// What stands beside a $ref only narrows: left out, the answer "disjoint" stays true.
Value follow(const JsonSchema& schema, Value part) {
  for (int i = 0; i < 8 && part["$ref"].is_string(); ++i) {
    part = schema.resolve(*part["$ref"].as_string());
  }
  return part;
}

bool closed(Value part) {
  return part["additionalProperties"].as_bool() == false;
}

bool disjoint(const JsonSchema& schema, Value a, Value b, int depth);

// Both are objects: a member that one requires and the other forbids, or that both require with
// nothing in common.
bool disjoint_members(const JsonSchema& schema, Value a, Value b, int depth) {
  for (const Value name : a["required"].elements()) {
    const std::string_view key = name.as_string().value_or("");
    const Value other = b["properties"][key];
    if (!other.exists() && closed(b)) return true;
    if (!requires_member(b, key) || !other.exists()) continue;
    if (disjoint(schema, a["properties"][key], other, depth + 1)) return true;
  }
  for (const Value name : b["required"].elements()) {
    const std::string_view key = name.as_string().value_or("");
    if (!a["properties"][key].exists() && closed(a)) return true;
  }
  return false;
}

bool disjoint(const JsonSchema& schema, Value a, Value b, int depth) {
  a = follow(schema, a);
  b = follow(schema, b);
  if (!a.is_object() || !b.is_object() || depth > kDepthMax) return false;
  const Types left = types_of(a);
  const Types right = types_of(b);
  if (!left.empty() && !right.empty()) {
    Types both;
    std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                          std::inserter(both, both.end()));
    if (both.empty()) return true;
  }
  if (const auto values = listed_values(a); !values.empty()) {
    return std::none_of(values.begin(), values.end(), [&](Value v) {
      return schema.part_accepts(a, v) && schema.part_accepts(b, v);
    });
  }
  if (!listed_values(b).empty()) return disjoint(schema, b, a, depth + 1);
  if (left != Types{"object"} || right != Types{"object"}) return false;
  return disjoint_members(schema, a, b, depth);
}

}  // namespace

std::set<std::string_view> types_of(Value part) {
  Types out;
  const auto put = [&](Value type) {
    const std::string_view name = type.as_string().value_or("");
    out.insert(name == "integer" ? "number" : name);
  };
  const Value type = part["type"];
  if (type.is_string()) put(type);
  for (const Value item : type.elements()) put(item);
  return out;
}

std::vector<Value> listed_values(Value part) {
  if (part["const"].exists()) return {part["const"]};
  return part["enum"].elements();
}

bool requires_member(Value part, std::string_view key) {
  const auto names = part["required"].elements();
  return std::any_of(names.begin(), names.end(),
                     [&](Value name) { return name.as_string() == key; });
}

bool exclusive_choices(const JsonSchema& schema, Value choices) {
  const auto items = choices.elements();
  if (items.size() > kChoicesMax) return false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!disjoint(schema, items[i], items[k], 0)) return false;
    }
  }
  return true;
}

}  // namespace fh::engine::llama
