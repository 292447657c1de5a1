#pragma once
// A JSON Schema as a client sent it, and the check of a value against it. Understands the
// vocabulary of draft 2020-12 (and draft 7's forms of the same) except $dynamicRef, remote
// references and unevaluated*; `format` is an annotation. Pure values; any thread.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace fh::engine::llama {

class JsonSchema {
 public:
  // Error: InvalidArgument when the text is not a JSON object (or true/false).
  static base::Result<std::shared_ptr<const JsonSchema>> parse(std::string_view text);

  codec::json::Value root() const { return document_.root(); }
  // The target of a "#", "#/..." or "#anchorless-pointer" reference; an absent value if there is
  // none.
  codec::json::Value resolve(std::string_view reference) const;
  // Whether the value fits. False also when the check would take too many steps.
  bool accepts(codec::json::Value value) const;
  // The same against one part of this schema (references resolve in the whole).
  bool part_accepts(codec::json::Value part, codec::json::Value value) const;
  // Whether the value is an object that has what the schema's own `required` lists and nothing but
  // what its `properties` do, whatever the values are.
  bool names_members_of(codec::json::Value value) const;

 private:
  explicit JsonSchema(codec::json::Document document) : document_(std::move(document)) {}
  codec::json::Document document_;
};

// Whether two JSON values are the same: numbers by value, objects without regard to order.
bool same_json(codec::json::Value a, codec::json::Value b);
// The value as compact JSON; strings decoded and written anew, numbers and object order as in the
// source.
std::string compact_json(codec::json::Value value);

// Patterns (grammar_pattern.h) of the formats that grammars enforce; nullptr: the format stays an
// annotation.
const char* format_pattern(std::string_view format);

}  // namespace fh::engine::llama
