// Minimal instances of JSON schemas (draft 2020-12 in the part named in sample_json.h).
#include "engine/scripted/sample_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace fh::engine::scripted {
namespace {

using codec::json::Document;
using codec::json::Value;
using codec::json::Writer;

constexpr int kDepthMax = 24;
constexpr std::size_t kOutputMaxBytes = 256 * 1024;
constexpr std::int64_t kItemsMax = 1000;

// A value that was made without them might not fit.
constexpr std::array<std::string_view, 5> kNotLookedAt = {"not", "if", "contains",
                                                          "patternProperties", "propertyNames"};

std::unexpected<base::Error> cannot(std::string what) {
  return base::fail(base::Code::InvalidArgument,
                    "the schema cannot be satisfied: " + std::move(what));
}

std::vector<std::string_view> names(Value list) {
  std::vector<std::string_view> out;
  for (const Value element : list.elements()) {
    if (const auto name = element.as_string()) out.push_back(*name);
  }
  return out;
}

class Sampler {
 public:
  explicit Sampler(Value root) : root_(root) {}

  base::Result<std::string> value(Value schema, int depth) {
    if (depth > kDepthMax) return cannot("it nests too deep");
    if (const auto anything = schema.as_bool()) {
      if (!*anything) return cannot("false allows no value");
      return std::string("null");
    }
    if (!schema.is_object()) return cannot("a schema is an object or a boolean");
    for (const std::string_view key : kNotLookedAt) {
      if (schema[key].exists()) return cannot("the keyword " + std::string(key));
    }
    if (schema["const"].exists()) return std::string(schema["const"].raw());
    if (schema["enum"].size() > 0) return std::string(schema["enum"][0].raw());
    if (const auto ref = schema["$ref"].as_string()) {
      FH_TRY(const Value target, resolve(*ref));
      return value(target, depth + 1);
    }
    for (const std::string_view key : {"anyOf", "oneOf"}) {
      if (schema[key].size() > 0) return first_possible(schema[key], depth);
    }
    return typed(schema, type_of(schema), depth);
  }

 private:
  base::Result<Value> resolve(std::string_view ref) const {
    if (!ref.starts_with('#')) return cannot("only local references are followed");
    ref.remove_prefix(1);
    Value at = root_;
    while (!ref.empty()) {
      ref.remove_prefix(1);  // the slash
      const std::size_t end = std::min(ref.find('/'), ref.size());
      at = at[ref.substr(0, end)];
      ref.remove_prefix(end);
    }
    if (!at.exists()) return cannot("a reference leads nowhere");
    return at;
  }

  base::Result<std::string> first_possible(Value choices, int depth) {
    base::Result<std::string> last = cannot("it gives no choice");
    for (const Value choice : choices.elements()) {
      last = value(choice, depth + 1);
      if (last) return last;
    }
    return last;
  }

  static std::string_view type_of(Value schema) {
    if (const auto type = schema["type"].as_string()) return *type;
    if (const auto type = schema["type"][0].as_string()) return *type;
    if (schema["properties"].exists() || schema["required"].exists()) return "object";
    if (schema["items"].exists() || schema["prefixItems"].exists()) return "array";
    if (schema["minLength"].exists() || schema["format"].exists() || schema["pattern"].exists()) {
      return "string";
    }
    if (schema["minimum"].exists() || schema["maximum"].exists()) return "number";
    if (schema["allOf"].size() > 0) return type_of(schema["allOf"][0]);
    return "null";
  }

  base::Result<std::string> typed(Value schema, std::string_view type, int depth) {
    if (type == "object") return object(schema, depth);
    if (schema["allOf"].size() > 1) return cannot("allOf is known for objects only");
    if (schema["allOf"].size() == 1) return value(schema["allOf"][0], depth + 1);
    if (type == "null") return std::string("null");
    if (type == "boolean") return std::string("true");
    if (type == "array") return array(schema, depth);
    if (type == "string") return string(schema);
    if (type == "integer" || type == "number") return number(schema, type == "integer");
    return cannot("unknown type " + std::string(type));
  }

  // The object's own schema and those of allOf, references followed.
  base::Result<std::vector<Value>> layers(Value schema, int depth) const {
    std::vector<Value> out{schema};
    for (Value part : schema["allOf"].elements()) {
      if (depth > kDepthMax) return cannot("it nests too deep");
      if (const auto ref = part["$ref"].as_string()) {
        FH_TRY(part, resolve(*ref));
      }
      FH_TRY(const std::vector<Value> inner, layers(part, depth + 1));
      out.insert(out.end(), inner.begin(), inner.end());
    }
    return out;
  }

  base::Result<std::string> object(Value schema, int depth) {
    FH_TRY(const std::vector<Value> parts, layers(schema, depth));
    std::vector<std::string_view> required;
    for (const Value part : parts) {
      for (const std::string_view name : names(part["required"])) {
        if (std::ranges::find(required, name) == required.end()) required.push_back(name);
      }
    }
    Writer out;
    out.object();
    for (const std::string_view name : required) {
      Value property;
      for (const Value part : parts) {
        if (part["properties"][name].exists()) property = part["properties"][name];
      }
      FH_TRY(const std::string member,
             property.exists() ? value(property, depth + 1) : base::Result<std::string>("null"));
      out.member_raw(name, member);
      if (out.str().size() > kOutputMaxBytes) return cannot("the value would be too large");
    }
    if (schema["minProperties"].as_int().value_or(0) > static_cast<std::int64_t>(required.size())) {
      return cannot("minProperties beyond the required ones");
    }
    out.end_object();
    return out.take();
  }

  base::Result<std::string> array(Value schema, int depth) {
    const Value prefix = schema["prefixItems"];
    const std::int64_t count = schema["minItems"].as_int().value_or(0);
    if (count > kItemsMax) return cannot("minItems is too large");
    if (count > 1 && schema["uniqueItems"].as_bool().value_or(false)) {
      return cannot("several unique items");
    }
    Writer out;
    out.array();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::size_t>(i);
      const Value item = index < prefix.size() ? prefix[index] : schema["items"];
      FH_TRY(const std::string element,
             item.exists() ? value(item, depth + 1) : base::Result<std::string>("null"));
      out.raw(element);
      if (out.str().size() > kOutputMaxBytes) return cannot("the value would be too large");
    }
    out.end_array();
    return out.take();
  }

  static base::Result<std::string> string(Value schema) {
    struct Format {
      std::string_view name;
      std::string_view sample;
    };
    static constexpr std::array<Format, 8> kFormats = {{
        {"date", "2026-01-01"},
        {"date-time", "2026-01-01T00:00:00Z"},
        {"time", "00:00:00Z"},
        {"email", "someone@example.com"},
        {"uri", "https://example.com/"},
        {"hostname", "example.com"},
        {"uuid", "00000000-0000-4000-8000-000000000000"},
        {"ipv4", "192.0.2.1"},
    }};
    if (schema["pattern"].exists()) return cannot("a pattern");
    std::string text = "text";
    if (const auto format = schema["format"].as_string()) {
      const auto* const known = std::ranges::find(kFormats, *format, &Format::name);
      if (known == kFormats.end()) return cannot("the format " + std::string(*format));
      text = known->sample;
    } else {
      const std::int64_t min = schema["minLength"].as_int().value_or(0);
      const std::int64_t max = schema["maxLength"].as_int().value_or(kItemsMax);
      if (min > max || min > kItemsMax) return cannot("the lengths of a string");
      if (std::cmp_less(text.size(), min)) text.resize(static_cast<std::size_t>(min), 'x');
      if (std::cmp_greater(text.size(), max)) text.resize(static_cast<std::size_t>(max));
    }
    std::string out;
    codec::json::append_string(out, text);
    return out;
  }

  // The bounded value nearest to zero that is a multiple of `step`.
  static base::Result<std::string> number(Value schema, bool integer) {
    const double step = schema["multipleOf"].as_double().value_or(integer ? 1 : 0);
    if (step < 0 || (integer && step != std::floor(step))) return cannot("this multipleOf");
    const auto min = schema["minimum"].as_double();
    const auto max = schema["maximum"].as_double();
    const auto above = schema["exclusiveMinimum"].as_double();
    const auto below = schema["exclusiveMaximum"].as_double();
    const double low = std::max(min.value_or(-HUGE_VAL), above.value_or(-HUGE_VAL));
    const double high = std::min(max.value_or(HUGE_VAL), below.value_or(HUGE_VAL));
    const auto allowed = [&](double x) {
      return (!min || x >= *min) && (!above || x > *above) && (!max || x <= *max) &&
             (!below || x < *below);
    };
    double best = std::clamp(0.0, std::min(low, high), high);
    if (step > 0) {
      best = best > 0 ? std::ceil(best / step) * step : std::floor(best / step) * step;
      if (!allowed(best)) best += best > 0 || low >= 0 ? step : -step;
    } else if (!allowed(best)) {
      const bool bounded = std::isfinite(low) && std::isfinite(high);
      best = bounded ? (low + high) / 2 : best >= low && std::isfinite(low) ? low + 1 : high - 1;
    }
    if (!allowed(best) || std::abs(best) > 9e15) return cannot("the bounds of a number");
    Writer out;
    if (best == std::floor(best)) {
      out.value(static_cast<std::int64_t>(best));
    } else {
      out.value(best);
    }
    return out.take();
  }

  Value root_;
};

}  // namespace

base::Result<std::string> sample_json(std::string_view schema) {
  FH_TRY(const Document document, Document::parse(schema));
  return Sampler(document.root()).value(document.root(), 0);
}

}  // namespace fh::engine::scripted
