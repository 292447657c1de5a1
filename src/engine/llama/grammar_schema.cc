// Schema to grammar. A place of the document is described by a list of schema parts that must all
// hold there
// ("conjuncts"): $ref and allOf are flattened into it, anyOf and oneOf become alternatives of
// lists, and the rules of one JSON type are then read off the whole list. Values of enum and const
// are tried one by one with the checker.
#include "engine/llama/grammar_schema.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "engine/llama/grammar_number.h"
#include "engine/llama/grammar_parts.h"
#include "engine/llama/grammar_pattern.h"

namespace fh::engine::llama {
namespace {

using codec::json::Kind;
using codec::json::Value;
using Parts = std::vector<Value>;
using Types = std::set<std::string_view>;
using Text = std::optional<std::string>;  // nullopt: no value fits here

constexpr std::size_t kRulesMax = 20'000;
constexpr int kDepthMax = 40;
constexpr std::size_t kWorkMax = 20'000;  // schema parts looked at: alternatives multiply
constexpr std::array<std::string_view, 6> kTypes = {"null",   "boolean", "number",
                                                    "string", "array",   "object"};

bool starts_with_any(std::string_view key, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

// Keywords that say nothing about the value.
bool is_annotation(std::string_view key) {
  return key.starts_with("x-") || starts_with_any(key, {"title",
                                                        "description",
                                                        "default",
                                                        "examples",
                                                        "example",
                                                        "$schema",
                                                        "$id",
                                                        "$comment",
                                                        "$defs",
                                                        "definitions",
                                                        "deprecated",
                                                        "readOnly",
                                                        "writeOnly",
                                                        "nullable",
                                                        "format",
                                                        "contentEncoding",
                                                        "contentMediaType",
                                                        "$anchor",
                                                        "id",
                                                        "strict",
                                                        "name",
                                                        "discriminator",
                                                        "enumNames",
                                                        "enumDescriptions",
                                                        "markdownDescription"});
}
bool is_enforced(std::string_view key) {
  return starts_with_any(key, {"type",
                               "enum",
                               "const",
                               "properties",
                               "required",
                               "additionalProperties",
                               "minProperties",
                               "maxProperties",
                               "items",
                               "prefixItems",
                               "additionalItems",
                               "minItems",
                               "maxItems",
                               "minLength",
                               "maxLength",
                               "pattern",
                               "minimum",
                               "maximum",
                               "exclusiveMinimum",
                               "exclusiveMaximum",
                               "multipleOf",
                               "anyOf",
                               "oneOf",
                               "allOf",
                               "$ref"});
}

class Converter {
 public:
  Converter(GrammarRules& rules, const JsonSchema& schema) : rules_(rules), schema_(schema) {}

  base::Result<std::string> run(std::string_view name, bool want_object) {
    name_ = name;
    const Text rule = convert({schema_.root()}, std::string(name), 0,
                              want_object ? std::set<std::string_view>{"object"} : all_types());
    if (!error_.empty()) return base::fail(base::Code::InvalidArgument, error_);
    if (!rule) {
      return base::fail(base::Code::InvalidArgument, "no value can satisfy the schema");
    }
    return *rule;
  }

 private:
  static Types all_types() { return {kTypes.begin(), kTypes.end()}; }

  // The names of rules begin with the one that this schema was given, which says nothing to whoever
  // wrote the schema; what follows is the way to the place.
  Text refuse(const std::string& place, const std::string& what) {
    if (!error_.empty()) return std::nullopt;
    std::string_view way = std::string_view(place).substr(std::min(place.size(), name_.size()));
    if (way.starts_with('-')) way.remove_prefix(1);
    error_ = way.empty() ? what : "at " + std::string(way) + ": " + what;
    return std::nullopt;
  }

  // Flattens $ref and allOf. False: unsatisfiable or an error.
  bool flatten(Value part, const std::string& place, Parts& out, int depth) {
    if (part.is_bool()) return *part.as_bool();
    if (!part.is_object() || depth > kDepthMax || ++work_ > kWorkMax) {
      refuse(place, part.is_object() ? "the schema is too large or refers to itself without end"
                                     : "a schema must be an object");
      return false;
    }
    for (const auto& [key, value] : part.members()) {
      if (is_enforced(key) || is_annotation(key)) continue;
      const bool harmless = (key == "uniqueItems" && value.as_bool() == false) ||
                            // Objects with declared members are closed anyway.
                            (key == "unevaluatedProperties" && part["properties"].size() > 0);
      if (!harmless) {
        refuse(place, "the keyword \"" + std::string(key) + "\" cannot be enforced");
        return false;
      }
    }
    out.push_back(part);
    if (const Value ref = part["$ref"]; ref.exists()) {
      const Value target = ref.is_string() ? schema_.resolve(*ref.as_string()) : Value();
      if (!target.exists()) {
        refuse(place, "$ref does not lead to a part of this schema");
        return false;
      }
      if (!flatten(target, place, out, depth + 1)) return false;
    }
    for (const Value item : part["allOf"].elements()) {
      if (!flatten(item, place + "/allOf", out, depth + 1)) return false;
    }
    return true;
  }

  static std::string identity(const Parts& parts, const Types& types) {
    std::set<std::pair<const void*, std::size_t>> seen;
    for (const Value part : parts) seen.emplace(part.raw().data(), part.raw().size());
    std::string out;
    for (const auto& [data, size] : seen) {
      out +=
          std::to_string(reinterpret_cast<std::uintptr_t>(data)) + "+" + std::to_string(size) + ",";
    }
    for (const auto type : types) out += std::string(type) + ";";
    return out;
  }

  // The rule for a place. `types`: what is still allowed there.
  Text convert(const Parts& given, const std::string& place, int depth, Types types) {
    if (!error_.empty()) return std::nullopt;
    if (rules_.size() > kRulesMax || depth > kDepthMax) {
      return refuse(place, "the schema is too large or too deep");
    }
    Parts parts;
    for (const Value part : given) {
      if (!flatten(part, place, parts, 0)) return std::nullopt;
    }
    const std::string key = identity(parts, types);
    if (const auto known = done_.find(key); known != done_.end()) return known->second;
    const std::string name = rules_.reserve(place);
    done_.emplace(key, name);
    const Text body = alternatives(parts, place, depth, std::move(types), {});
    if (!body) {
      rules_.define(name, "\"\\x01\"");  // reached only from a place that is unsatisfiable itself
      done_[key] = std::nullopt;
      return std::nullopt;
    }
    rules_.define(name, *body);
    return name;
  }

  // Splits the first anyOf or oneOf that is not yet split (`split` holds those), then goes on.
  Text alternatives(const Parts& parts, const std::string& place, int depth, Types types,
                    std::set<const void*> split) {
    work_ += parts.size();
    if (work_ > kWorkMax) return refuse(place, "the schema has too many alternatives");
    for (const Value part : parts) {
      for (const std::string_view word : {"anyOf", "oneOf"}) {
        const Value choices = part[word];
        if (!choices.exists() || split.contains(choices.raw().data())) continue;
        if (!choices.is_array() || choices.size() == 0) {
          return refuse(place, std::string(word) + " must be a list");
        }
        split.insert(choices.raw().data());
        if (word == "oneOf" && !exclusive_choices(schema_, choices)) {
          return refuse(place, "oneOf with alternatives that may overlap cannot be enforced");
        }
        return split_choices(parts, choices, place, depth, types, split);
      }
    }
    return typed(parts, place, depth, std::move(types));
  }

  Text split_choices(const Parts& parts, Value choices, const std::string& place, int depth,
                     const Types& types, const std::set<const void*>& split) {
    if (depth > kDepthMax) return refuse(place, "the schema is too deep");
    std::string out;
    std::size_t number = 0;
    for (const Value choice : choices.elements()) {
      Parts extended = parts;
      const std::string at = place + "-" + std::to_string(number++);
      if (!flatten(choice, at, extended, 0)) {
        if (!error_.empty()) return std::nullopt;
        continue;
      }
      const Text body = alternatives(extended, at, depth + 1, types, split);
      if (!error_.empty()) return std::nullopt;
      if (!body) continue;
      if (!out.empty()) out += " | ";
      out += rules_.add(at, *body);
    }
    if (out.empty()) return std::nullopt;
    return out;
  }

  bool all_accept(const Parts& parts, Value value) const {
    return std::all_of(parts.begin(), parts.end(),
                       [&](Value part) { return schema_.part_accepts(part, value); });
  }

  Text typed(const Parts& parts, const std::string& place, int depth, Types types) {
    bool integer = false;
    for (const Value part : parts) {
      if (!part["type"].exists()) continue;
      Types named = types_of(part);
      for (const auto type : named) {
        if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
          return refuse(place, "unknown type \"" + std::string(type) + "\"");
        }
      }
      Types both;
      std::set_intersection(types.begin(), types.end(), named.begin(), named.end(),
                            std::inserter(both, both.end()));
      types = std::move(both);
      integer = integer || only_integer(part["type"]);
    }
    for (const Value part : parts) {
      if (part["enum"].exists() && !part["enum"].is_array()) {
        return refuse(place, "enum must be a list");
      }
      if (part["enum"].exists() || part["const"].exists()) {
        return listed(listed_values(part), parts, types);
      }
    }
    if (types.size() == kTypes.size()) types = implied_types(parts);
    if (types.size() == kTypes.size()) return rules_.builtin("value");
    std::string out;
    for (const auto type : types) {
      const Text body = of_type(type, parts, place, depth, integer);
      if (!error_.empty()) return std::nullopt;
      if (!body) continue;
      if (!out.empty()) out += " | ";
      out += *body;
    }
    if (out.empty()) return std::nullopt;
    return out;
  }

  static bool only_integer(Value type) {
    if (type.as_string() == "integer") return true;
    const auto items = type.elements();
    const auto has = [&](std::string_view name) {
      return std::any_of(items.begin(), items.end(),
                         [&](Value item) { return item.as_string() == name; });
    };
    return has("integer") && !has("number");
  }

  // Without a type the keywords tell what is meant; that is narrower than the schema and what its
  // author wants.
  static Types implied_types(const Parts& parts) {
    const auto has = [&](std::initializer_list<std::string_view> words) {
      return std::any_of(parts.begin(), parts.end(), [&](Value part) {
        return std::any_of(words.begin(), words.end(),
                           [&](std::string_view word) { return part[word].exists(); });
      });
    };
    if (has({"properties", "required", "additionalProperties", "minProperties", "maxProperties"})) {
      return {"object"};
    }
    if (has({"items", "prefixItems", "minItems", "maxItems"})) return {"array"};
    if (has({"pattern", "minLength", "maxLength"})) return {"string"};
    if (has({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})) {
      return {"number"};
    }
    return all_types();
  }

  Text listed(const std::vector<Value>& values, const Parts& parts, const Types& types) const {
    std::string out;
    for (const Value value : values) {
      if (!types.contains(codec::json::kind_name(value.kind())) || !all_accept(parts, value)) {
        continue;
      }
      if (!out.empty()) out += " | ";
      out += gbnf_literal(compact_json(value));
    }
    if (out.empty()) return std::nullopt;
    return out;
  }

  Text of_type(std::string_view type, const Parts& parts, const std::string& place, int depth,
               bool integer) {
    if (type == "null" || type == "boolean") return rules_.builtin(type);
    if (type == "number") return number(parts, place, integer);
    if (type == "string") return string(parts, place);
    if (type == "array") return array(parts, place, depth + 1);
    return object(parts, place, depth + 1);
  }

  Text number(const Parts& parts, const std::string& place, bool integer) {
    NumberBounds bounds;
    for (const Value part : parts) {
      if (const Value step = part["multipleOf"]; step.exists()) {
        if (step.as_double() != 1.0) return refuse(place, "multipleOf cannot be enforced");
        integer = true;
      }
      for (const std::string_view word :
           {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
        const Value bound = part[word];
        if (!bound.exists()) continue;
        if (!bound.as_double()) return refuse(place, std::string(word) + " must be a number");
        const bool exclusive = word.starts_with("exclusive");
        if (word.ends_with("inimum")) {
          bounds.raise_low(*bound.as_double(), exclusive);
        } else {
          bounds.drop_high(*bound.as_double(), exclusive);
        }
      }
    }
    if (!bounds.bounded()) return rules_.builtin(integer ? "integer" : "number");
    const std::string text = integer ? bounded_integer(bounds) : bounded_number(bounds);
    if (text.empty()) return refuse(place, "no number that can be written fits the bounds");
    return text;
  }

  Text string(const Parts& parts, const std::string& place) {
    std::uint64_t min = 0;
    std::uint64_t max = GrammarRules::kNoMax;
    std::vector<std::string_view> patterns;
    for (const Value part : parts) {
      if (!counts(part, "minLength", "maxLength", place, min, max)) return std::nullopt;
      if (const Value pattern = part["pattern"]; pattern.exists()) {
        if (!pattern.is_string()) return refuse(place, "pattern must be a string");
        patterns.push_back(*pattern.as_string());
      }
      const char* format = format_pattern(part["format"].as_string().value_or(""));
      if (format != nullptr) patterns.emplace_back(format);
    }
    if (min > max) return std::nullopt;
    const bool measured = min > 0 || max != GrammarRules::kNoMax;
    std::sort(patterns.begin(), patterns.end());
    patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
    if (patterns.size() > 1 || (measured && !patterns.empty())) {
      return refuse(
          place, "pattern or format together with another pattern or a length cannot be enforced");
    }
    if (patterns.size() == 1) {
      const auto pattern = Pattern::parse(patterns[0]);
      if (!pattern) return refuse(place, pattern.error().message);
      const auto text = pattern->to_gbnf(rules_.builtin("char"));
      if (!text) return refuse(place, text.error().message);
      return "\"\\\"\" " + *text + " \"\\\"\"";
    }
    if (!measured) return rules_.builtin("string");
    return "\"\\\"\" " + rules_.repeat(rules_.builtin("char"), min, max) + " \"\\\"\"";
  }

  bool counts(Value part, std::string_view low, std::string_view high, const std::string& place,
              std::uint64_t& min, std::uint64_t& max) {
    for (const std::string_view word : {low, high}) {
      const Value value = part[word];
      if (!value.exists()) continue;
      const auto count = value.as_int();
      if (!count || *count < 0) {
        refuse(place, std::string(word) + " must be a count");
        return false;
      }
      const auto n = static_cast<std::uint64_t>(*count);
      if (word == low) {
        min = std::max(min, n);
      } else {
        max = std::min(max, n);
      }
    }
    return true;
  }

  // The parts that hold for item `index`, or for all items past every prefix (index = SIZE_MAX).
  static bool item_parts(const Parts& parts, std::size_t index, Parts& out) {
    for (const Value part : parts) {
      const bool old_form = part["items"].is_array();
      const Value prefix = part[old_form ? "items" : "prefixItems"];
      const Value rest = part[old_form ? "additionalItems" : "items"];
      const Value rule = index < prefix.size() ? prefix[index] : rest;
      if (rule.as_bool() == false) return false;
      if (rule.exists()) out.push_back(rule);
    }
    return true;
  }

  Text array(const Parts& parts, const std::string& place, int depth) {
    std::uint64_t min = 0;
    std::uint64_t max = GrammarRules::kNoMax;
    std::size_t prefix = 0;
    for (const Value part : parts) {
      if (!counts(part, "minItems", "maxItems", place, min, max)) return std::nullopt;
      const bool old_form = part["items"].is_array();
      prefix = std::max(prefix, part[old_form ? "items" : "prefixItems"].size());
    }
    if (min > max) return std::nullopt;
    const std::string ws = rules_.builtin("ws");
    const std::string comma = "\",\" " + ws + " ";
    std::string body;
    const std::uint64_t fixed = std::min<std::uint64_t>(prefix, max);
    for (std::size_t i = 0; i < fixed; ++i) {
      Parts inner;
      const Text item = item_parts(parts, i, inner)
                            ? convert(inner, place + "-" + std::to_string(i), depth, all_types())
                            : std::nullopt;
      if (!item) return std::nullopt;
      body += (i > 0 ? " " + comma : "") + *item;
    }
    Parts inner;
    const bool open = fixed < max && item_parts(parts, SIZE_MAX, inner) &&
                      (prefix == 0 || !inner.empty() || min > fixed);
    const Text item = open ? convert(inner, place + "-item", depth, all_types()) : std::nullopt;
    if (!error_.empty() || (!item && min > fixed)) return std::nullopt;
    if (item) {
      const std::uint64_t least = min > fixed ? min - fixed : 0;
      const std::uint64_t most = max == GrammarRules::kNoMax ? max : max - fixed;
      body += fixed > 0
                  ? " " + rules_.repeat(rules_.add(place + "-next", comma + *item), least, most)
                  : list_of(*item, comma, least, most, place);
    }
    return "\"[\" " + ws + " " + body + " " + ws + " \"]\"";
  }

  std::string list_of(const std::string& item, const std::string& comma, std::uint64_t least,
                      std::uint64_t most, const std::string& place) {
    if (most == 0) return "";
    const std::string next = rules_.add(place + "-next", comma + item);
    const std::uint64_t more = most == GrammarRules::kNoMax ? most : most - 1;
    const std::string all = item + " " + rules_.repeat(next, least > 0 ? least - 1 : 0, more);
    return least == 0 ? "( " + all + " )?" : all;
  }

  struct Member {
    std::string_view name;
    std::string rule;
    bool required = false;
  };

  Text object(const Parts& parts, const std::string& place, int depth) {
    std::uint64_t min = 0;
    std::uint64_t max = GrammarRules::kNoMax;
    std::vector<std::string_view> names;
    const auto put = [&](std::string_view name) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (const Value part : parts) {
      if (!counts(part, "minProperties", "maxProperties", place, min, max)) return std::nullopt;
      for (const auto& [name, rule] : part["properties"].members()) put(name);
    }
    for (const Value part : parts) {
      for (const Value name : part["required"].elements()) {
        if (name.is_string()) put(*name.as_string());
      }
    }
    if (names.empty()) return dictionary(parts, place, depth, min, max);
    std::vector<Member> members;
    std::uint64_t required_count = 0;
    for (const std::string_view name : names) {
      const bool required = std::any_of(parts.begin(), parts.end(),
                                        [&](Value part) { return requires_member(part, name); });
      Parts inner;
      const Text rule = member_parts(parts, name, inner)
                            ? convert(inner, place + "-" + std::string(name), depth, all_types())
                            : std::nullopt;
      if (!error_.empty() || (!rule && required)) return std::nullopt;
      if (!rule) continue;
      required_count += required ? 1 : 0;
      members.push_back({name, *rule, required});
    }
    if (required_count < min || members.size() > max) {
      return refuse(place, "minProperties and maxProperties cannot be enforced here");
    }
    return members_rule(members, place);
  }

  // What holds for a member; false when it is forbidden.
  static bool member_parts(const Parts& parts, std::string_view name, Parts& out) {
    for (const Value part : parts) {
      const Value own = part["properties"][name];
      const Value rule = own.exists() ? own : part["additionalProperties"];
      if (rule.as_bool() == false) return false;
      if (rule.exists()) out.push_back(rule);
    }
    return true;
  }

  // An object without declared members: any keys, one rule for the values.
  Text dictionary(const Parts& parts, const std::string& place, int depth, std::uint64_t min,
                  std::uint64_t max) {
    if (min > max) return std::nullopt;
    Parts inner;
    const std::string ws = rules_.builtin("ws");
    const bool open = member_parts(parts, "", inner);
    if (open && inner.empty() && min == 0 && max == GrammarRules::kNoMax) {
      return rules_.builtin("object");
    }
    const Text value = open ? convert(inner, place + "-value", depth, all_types()) : std::nullopt;
    if (!error_.empty() || (!value && min > 0)) return std::nullopt;
    if (!value || max == 0) return "\"{\" " + ws + " \"}\"";
    // With a lower bound equal keys would break it, and nothing in a grammar can forbid them.
    if (min > 1) return refuse(place, "minProperties cannot be enforced here");
    const std::string pair = rules_.add(
        place + "-pair", rules_.builtin("string") + " " + ws + " \":\" " + ws + " " + *value);
    return "\"{\" " + ws + " " + list_of(pair, "\",\" " + ws + " ", min, max, place) + " " + ws +
           " \"}\"";
  }

  // Members in declared order; optional ones may be left out. Two rules per member: nothing written
  // yet, or something.
  std::string members_rule(const std::vector<Member>& members, const std::string& place) {
    const std::string ws = rules_.builtin("ws");
    std::string first = "\"\"";
    std::string rest = "\"\"";
    for (auto it = members.rbegin(); it != members.rend(); ++it) {
      std::string key;
      codec::json::append_string(key, it->name);
      const std::string pair =
          rules_.add(place + "-m", gbnf_literal(key) + " " + ws + " \":\" " + ws + " " + it->rule);
      const std::string tail = rest == "\"\"" ? "" : " " + rest;
      std::string first_body = pair + tail;
      std::string rest_body = "\",\" " + ws + " " + pair + tail;
      if (!it->required) {
        first_body += " | " + first;
        rest_body += " | " + rest;
      }
      first = rules_.add(place + "-first", first_body);
      rest = rules_.add(place + "-rest", rest_body);
    }
    return "\"{\" " + ws + " " + first + " " + ws + " \"}\"";
  }

  GrammarRules& rules_;
  const JsonSchema& schema_;
  std::map<std::string, Text> done_;
  std::string name_;  // of the rule for the whole
  std::string error_;
  std::size_t work_ = 0;
};

}  // namespace

base::Result<std::string> add_schema_rules(GrammarRules& rules, const JsonSchema& schema,
                                           std::string_view name, bool want_object) {
  return Converter(rules, schema).run(name, want_object);
}

}  // namespace fh::engine::llama
