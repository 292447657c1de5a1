#pragma once
// From a JSON schema to GBNF rules whose every text is a JSON value that the schema accepts. The
// language may be narrower than the schema (declared order of members, no undeclared members beside
// declared ones, bounded lengths), never wider: a keyword that cannot be enforced is an error, not
// ignored. Threads: an object belongs to one caller.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/llama/json_schema.h"

namespace fh::engine::llama {

// The rules of one grammar under construction. Rules that any JSON text needs are added on demand.
class GrammarRules {
 public:
  // Adds `name ::= body`, or a free variant of the name if it is taken; returns the name used.
  std::string add(std::string_view name, std::string body);
  // Reserves a name for a rule whose body comes later (recursion).
  std::string reserve(std::string_view name);
  void define(const std::string& name, std::string body);
  // Built-in rules: "ws", "value", "object", "array", "string", "char", "number", "integer",
  // "boolean", "null".
  std::string builtin(std::string_view name);
  // `rule` repeated min to max times (max kNoMax: without end); any count, split so that llama.cpp
  // accepts it.
  std::string repeat(const std::string& rule, std::uint64_t min, std::uint64_t max);
  // Takes back every rule added since the table had `size` rules.
  void rollback(std::size_t size);
  std::size_t size() const { return order_.size(); }
  std::string text() const;  // all rules, in the order they were added
  static constexpr std::uint64_t kNoMax = UINT64_MAX;

 private:
  std::map<std::string, std::string, std::less<>> bodies_;
  std::vector<std::string> order_;
};

// "abc" as a GBNF literal.
std::string gbnf_literal(std::string_view text);
// Rule for any text up to and including the first `stop`, then `after` (an expression, may be
// empty). `may_end`: the text may also end without `stop`.
std::string gbnf_until(GrammarRules& rules, std::string_view name, std::string_view stop,
                       const std::string& after, bool may_end);

// Adds the rules of the schema and returns the name of its first one. `want_object`: only objects
// (tool arguments). Error: InvalidArgument; the message names the place and the keyword that cannot
// be enforced.
base::Result<std::string> add_schema_rules(GrammarRules& rules, const JsonSchema& schema,
                                           std::string_view name, bool want_object);

}  // namespace fh::engine::llama
