// The check of a JSON value against a schema: a plain recursive walk with a step budget.
#include "engine/llama/json_schema.h"

#include <algorithm>
#include <cmath>

#include "engine/llama/grammar_pattern.h"

namespace fh::engine::llama {
namespace {

using codec::json::Kind;
using codec::json::Value;

constexpr int kDepthMax = 100;
constexpr std::uint64_t kStepsMax = 2'000'000;

std::size_t utf8_length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool is_integer(Value value) {
  const auto number = value.as_double();
  return number && std::isfinite(*number) && std::floor(*number) == *number;
}

bool type_fits(std::string_view type, Value value) {
  if (type == "integer") return value.is_number() && is_integer(value);
  return type == codec::json::kind_name(value.kind());
}

class Checker {
 public:
  explicit Checker(const JsonSchema& schema) : schema_(schema) {}

  bool check(Value part, Value value, int depth) {
    if (++steps_ > kStepsMax || depth > kDepthMax) return false;
    if (part.is_bool()) return *part.as_bool();
    if (!part.is_object()) return false;
    if (!basics(part, value)) return false;
    if (!combined(part, value, depth + 1)) return false;
    switch (value.kind()) {
      case Kind::Number: return number(part, value);
      case Kind::String: return string(part, value);
      case Kind::Array: return array(part, value, depth + 1);
      case Kind::Object: return object(part, value, depth + 1);
      case Kind::Null:
      case Kind::Bool: break;
    }
    return true;
  }

 private:
  bool basics(Value part, Value value) {
    if (const Value type = part["type"]; type.exists()) {
      bool fits = type.is_string() && type_fits(*type.as_string(), value);
      for (const Value item : type.elements()) {
        fits = fits || (item.is_string() && type_fits(*item.as_string(), value));
      }
      if (!fits) return false;
    }
    if (const Value constant = part["const"]; constant.exists() && !same_json(constant, value)) {
      return false;
    }
    if (const Value values = part["enum"]; values.is_array()) {
      const auto items = values.elements();
      return std::any_of(items.begin(), items.end(),
                         [&](Value item) { return same_json(item, value); });
    }
    return true;
  }

  bool combined(Value part, Value value, int depth) {
    if (const Value ref = part["$ref"]; ref.is_string()) {
      const Value target = schema_.resolve(*ref.as_string());
      if (!target.exists() || !check(target, value, depth)) return false;
    }
    for (const Value item : part["allOf"].elements()) {
      if (!check(item, value, depth)) return false;
    }
    if (const Value any = part["anyOf"]; any.is_array() && matching(any, value, depth) == 0) {
      return false;
    }
    if (const Value one = part["oneOf"]; one.is_array() && matching(one, value, depth) != 1) {
      return false;
    }
    if (const Value no = part["not"]; no.exists() && check(no, value, depth)) return false;
    if (const Value condition = part["if"]; condition.exists()) {
      const Value branch = part[check(condition, value, depth) ? "then" : "else"];
      if (branch.exists() && !check(branch, value, depth)) return false;
    }
    return true;
  }

  std::size_t matching(Value choices, Value value, int depth) {
    std::size_t count = 0;
    for (const Value item : choices.elements()) count += check(item, value, depth) ? 1 : 0;
    return count;
  }

  static bool number(Value part, Value value) {
    const double x = value.as_double().value_or(0);
    const auto bound = [&](std::string_view key) { return part[key].as_double(); };
    if (const auto low = bound("minimum"); low && x < *low) return false;
    if (const auto high = bound("maximum"); high && x > *high) return false;
    if (const auto low = bound("exclusiveMinimum"); low && x <= *low) return false;
    if (const auto high = bound("exclusiveMaximum"); high && x >= *high) return false;
    if (const auto step = bound("multipleOf"); step && *step > 0) {
      const double quotient = x / *step;
      if (std::abs(quotient - std::round(quotient)) > 1e-9 * std::max(1.0, std::abs(quotient))) {
        return false;
      }
    }
    return true;
  }

  static bool pattern_fits(std::string_view pattern, std::string_view text) {
    const auto parsed = Pattern::parse(pattern);
    return parsed && parsed->matches(text);
  }

  static bool string(Value part, Value value) {
    const std::string_view text = *value.as_string();
    const auto length = static_cast<double>(utf8_length(text));
    if (const auto low = part["minLength"].as_double(); low && length < *low) return false;
    if (const auto high = part["maxLength"].as_double(); high && length > *high) return false;
    if (const auto pattern = part["pattern"].as_string();
        pattern && !pattern_fits(*pattern, text)) {
      return false;
    }
    return true;
  }

  bool array(Value part, Value value, int depth) {
    const auto items = value.elements();
    const auto count = static_cast<double>(items.size());
    if (const auto low = part["minItems"].as_double(); low && count < *low) return false;
    if (const auto high = part["maxItems"].as_double(); high && count > *high) return false;
    const bool old_form = part["items"].is_array();
    const auto prefix = part[old_form ? "items" : "prefixItems"].elements();
    const Value rest = part[old_form ? "additionalItems" : "items"];
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value rule = i < prefix.size() ? prefix[i] : rest;
      if (rule.exists() && !check(rule, items[i], depth)) return false;
    }
    if (part["uniqueItems"].as_bool().value_or(false)) {
      for (std::size_t i = 0; i < items.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
          if (++steps_ > kStepsMax || same_json(items[i], items[k])) return false;
        }
      }
    }
    if (const Value wanted = part["contains"]; wanted.exists()) {
      double hits = 0;
      for (const Value item : items) hits += check(wanted, item, depth) ? 1 : 0;
      if (hits < part["minContains"].as_double().value_or(1)) return false;
      if (const auto high = part["maxContains"].as_double(); high && hits > *high) return false;
    }
    return true;
  }

  bool object(Value part, Value value, int depth) {
    const auto members = value.members();
    const auto count = static_cast<double>(members.size());
    if (const auto low = part["minProperties"].as_double(); low && count < *low) return false;
    if (const auto high = part["maxProperties"].as_double(); high && count > *high) return false;
    for (const Value name : part["required"].elements()) {
      if (name.is_string() && !value[*name.as_string()].exists()) return false;
    }
    for (const auto& [name, dependents] : part["dependentRequired"].members()) {
      if (!value[name].exists()) continue;
      for (const Value other : dependents.elements()) {
        if (other.is_string() && !value[*other.as_string()].exists()) return false;
      }
    }
    for (const auto& [name, rule] : part["dependentSchemas"].members()) {
      if (value[name].exists() && !check(rule, value, depth)) return false;
    }
    const Value names = part["propertyNames"];
    for (const auto& [name, member] : members) {
      if (!member_fits(part, name, member, depth)) return false;
      if (names.exists() && !name_fits(names, name, depth)) return false;
    }
    return true;
  }

  bool member_fits(Value part, std::string_view name, Value member, int depth) {
    bool known = false;
    if (const Value rule = part["properties"][name]; rule.exists()) {
      known = true;
      if (!check(rule, member, depth)) return false;
    }
    for (const auto& [pattern, rule] : part["patternProperties"].members()) {
      if (!pattern_fits(pattern, name)) continue;
      known = true;
      if (!check(rule, member, depth)) return false;
    }
    const Value rest = part["additionalProperties"];
    return known || !rest.exists() || check(rest, member, depth);
  }

  bool name_fits(Value rule, std::string_view name, int depth) {
    std::string text;
    codec::json::append_string(text, name);
    const auto document = codec::json::Document::parse(text);
    return document && check(rule, document->root(), depth);
  }

  const JsonSchema& schema_;
  std::uint64_t steps_ = 0;
};

// RFC 6901: "~1" is "/", "~0" is "~"; in a URI fragment "%xx" comes on top.
std::string pointer_token(std::string_view token) {
  std::string out;
  const auto nibble = [](char c) {
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
  };
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '%' && i + 2 < token.size() && nibble(token[i + 1]) >= 0 &&
        nibble(token[i + 2]) >= 0) {
      out += static_cast<char>(nibble(token[i + 1]) * 16 + nibble(token[i + 2]));
      i += 2;
    } else if (token[i] == '~' && i + 1 < token.size()) {
      out += token[++i] == '1' ? '/' : '~';
    } else {
      out += token[i];
    }
  }
  return out;
}

}  // namespace

base::Result<std::shared_ptr<const JsonSchema>> JsonSchema::parse(std::string_view text) {
  codec::json::Limits limits;
  limits.bytes_max = 4U << 20U;
  FH_TRY(auto document, codec::json::Document::parse(text.empty() ? "{}" : text, limits));
  const Value root = document.root();
  if (!root.is_object() && !root.is_bool()) {
    return base::fail(base::Code::InvalidArgument, "a JSON schema must be an object");
  }
  return std::shared_ptr<const JsonSchema>(new JsonSchema(std::move(document)));
}

Value JsonSchema::resolve(std::string_view reference) const {
  Value at = root();
  if (reference == "#") return at;
  if (!reference.starts_with("#/")) return {};
  reference.remove_prefix(2);
  for (;;) {
    const std::size_t slash = reference.find('/');
    const std::string token = pointer_token(reference.substr(0, slash));
    if (at.is_array()) {
      std::size_t index = 0;
      if (token.empty() || token.size() > 6) return {};
      for (const char c : token) {
        if (c < '0' || c > '9') return {};
        index = index * 10 + static_cast<std::size_t>(c - '0');
      }
      at = at[index];
    } else {
      at = at[std::string_view(token)];
    }
    if (!at.exists() || slash == std::string_view::npos) return at;
    reference.remove_prefix(slash + 1);
  }
}

bool JsonSchema::accepts(Value value) const {
  return part_accepts(root(), value);
}

bool JsonSchema::names_members_of(Value value) const {
  const Value properties = root()["properties"];
  if (!value.is_object() || !properties.is_object()) return false;
  for (const auto& [name, member] : value.members()) {
    if (!properties[name].exists()) return false;
  }
  for (const Value name : root()["required"].elements()) {
    const auto text = name.as_string();
    if (text && !value[*text].exists()) return false;
  }
  return true;
}

bool JsonSchema::part_accepts(Value part, Value value) const {
  return Checker(*this).check(part, value, 0);
}

bool same_json(Value a, Value b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::Null: return true;
    case Kind::Bool: return a.as_bool() == b.as_bool();
    case Kind::Number: return a.raw() == b.raw() || a.as_double() == b.as_double();
    case Kind::String: return a.as_string() == b.as_string();
    case Kind::Array: {
      const auto left = a.elements();
      const auto right = b.elements();
      return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_json);
    }
    case Kind::Object: break;
  }
  if (a.size() != b.size()) return false;
  for (const auto& [name, value] : a.members()) {
    const Value other = b[name];
    if (!other.exists() || !same_json(value, other)) return false;
  }
  return true;
}

std::string compact_json(Value value) {
  std::string out;
  if (value.is_string()) {
    codec::json::append_string(out, *value.as_string());
  } else if (value.is_array()) {
    out += '[';
    for (const Value item : value.elements()) {
      if (out.size() > 1) out += ',';
      out += compact_json(item);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    for (const auto& [name, member] : value.members()) {
      if (out.size() > 1) out += ',';
      codec::json::append_string(out, name);
      out += ':' + compact_json(member);
    }
    out += '}';
  } else {
    out = value.raw();
  }
  return out;
}

const char* format_pattern(std::string_view format) {
// RFC 3339 full-date (February to the 28th: the grammar may be narrower), partial-time with offset.
#define FH_DATE                                                                           \
  "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)" \
  "|02-(0[1-9]|1[0-9]|2[0-8]))"
#define FH_TIME \
  "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
  if (format == "date") return "^" FH_DATE "$";
  if (format == "time") return "^" FH_TIME "$";
  if (format == "date-time") return "^" FH_DATE "T" FH_TIME "$";
#undef FH_DATE
#undef FH_TIME
  if (format == "uuid") {
    return "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";
  }
  return nullptr;
}

}  // namespace fh::engine::llama
