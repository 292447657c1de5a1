// Typed reading of JSON members; see fields.h.

#include "dialects/fields.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

namespace fh::dialects {

std::string Path::text() const {
  std::string out = parent_ != nullptr ? parent_->text() : std::string();
  if (parent_ == nullptr) return out;
  if (!out.empty()) out += '.';
  if (indexed_) {
    out += std::to_string(index_);
  } else {
    out += key_;
  }
  return out;
}

std::unexpected<base::Error> wrong(const Path& path, std::string message) {
  return base::fail_field(path.text(), std::move(message));
}

std::unexpected<base::Error> wrong_type(const Path& path, std::string_view wanted, Value got) {
  if (!got.exists()) return wrong(path, fmt::format("required; must be {}", wanted));
  return wrong(path, fmt::format("must be {}, got {}", wanted, codec::json::kind_name(got.kind())));
}

namespace {
// The member, or an absent value when it is missing or null.
Value member(Value object, std::string_view key) {
  const Value value = object[key];
  return value.is_null() ? Value() : value;
}
}  // namespace

base::Result<std::optional<bool>> optional_bool(Value object, std::string_view key,
                                                const Path& path) {
  const Value value = member(object, key);
  if (!value.exists()) return std::nullopt;
  if (!value.is_bool()) return wrong_type(path.at(key), "a boolean", value);
  return value.as_bool();
}

base::Result<std::optional<std::string>> optional_string(Value object, std::string_view key,
                                                         const Path& path) {
  const Value value = member(object, key);
  if (!value.exists()) return std::nullopt;
  const auto text = value.as_string();
  if (!text) return wrong_type(path.at(key), "a string", value);
  return std::string(*text);
}

base::Result<std::optional<double>> optional_number(Value object, std::string_view key,
                                                    const Path& path, NumberRange range) {
  const Value value = member(object, key);
  if (!value.exists()) return std::nullopt;
  if (!value.is_number()) return wrong_type(path.at(key), "a number", value);
  const auto number = value.as_double();  // nullopt: beyond what a double holds
  if (!number || !std::isfinite(*number) || *number < range.low || *number > range.high) {
    return wrong(path.at(key), fmt::format("must be between {} and {}", range.low, range.high));
  }
  return number;
}

base::Result<std::optional<std::int64_t>> optional_int(Value object, std::string_view key,
                                                       const Path& path, IntRange range) {
  const Value value = member(object, key);
  if (!value.exists()) return std::nullopt;
  if (!value.is_number()) return wrong_type(path.at(key), "an integer", value);
  const auto number = value.as_int();
  if (!number) return wrong(path.at(key), "must be an integer");
  if (*number < range.low || *number > range.high) {
    return wrong(path.at(key), fmt::format("must be between {} and {}", range.low, range.high));
  }
  return number;
}

base::Result<Value> optional_object(Value object, std::string_view key, const Path& path) {
  const Value value = member(object, key);
  if (value.exists() && !value.is_object()) return wrong_type(path.at(key), "an object", value);
  return value;
}

base::Result<Value> optional_array(Value object, std::string_view key, const Path& path) {
  const Value value = member(object, key);
  if (value.exists() && !value.is_array()) return wrong_type(path.at(key), "an array", value);
  return value;
}

base::Result<std::string> required_string(Value object, std::string_view key, const Path& path) {
  const Value value = object[key];
  const auto text = value.is_string() ? value.as_string() : std::nullopt;
  if (!text) return wrong_type(path.at(key), "a string", value);
  if (text->empty()) return wrong(path.at(key), "must not be empty");
  return std::string(*text);
}

base::Result<Value> required_object(Value object, std::string_view key, const Path& path) {
  const Value value = object[key];
  if (!value.is_object()) return wrong_type(path.at(key), "an object", value);
  return value;
}

base::Result<Value> required_array(Value object, std::string_view key, const Path& path) {
  const Value value = object[key];
  if (!value.is_array()) return wrong_type(path.at(key), "an array", value);
  return value;
}

base::Result<std::optional<std::string>> optional_choice(
    Value object, std::string_view key, const Path& path,
    std::initializer_list<std::string_view> allowed) {
  FH_TRY(auto text, optional_string(object, key, path));
  if (!text) return std::nullopt;
  std::string names;
  for (const std::string_view name : allowed) {
    if (*text == name) return text;
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return wrong(path.at(key), "must be one of: " + names);
}

base::Status check_arguments_schema(Value schema, const Path& path) {
  const auto type = schema["type"].as_string();
  for (const std::string_view other : {"string", "number", "integer", "boolean", "array", "null"}) {
    if (type == other) return wrong(path.at("type"), "must be object: arguments have names");
  }
  return {};
}

base::Result<std::vector<std::string>> read_stops(Value value, const Path& path) {
  std::vector<std::string> stops;
  if (!value.exists() || value.is_null()) return stops;
  if (value.is_string()) {
    if (!value.as_string()->empty()) stops.emplace_back(*value.as_string());
  } else if (value.is_array()) {
    std::size_t index = 0;
    for (const Value element : value.elements()) {
      const auto text = element.is_string() ? element.as_string() : std::nullopt;
      if (!text) return wrong_type(path.at(index), "a string", element);
      if (!text->empty()) stops.emplace_back(*text);
      ++index;
    }
  } else {
    return wrong_type(path, "a string or an array of strings", value);
  }
  if (stops.size() > kStopCountMax) {
    return wrong(path, fmt::format("at most {} stop strings are possible", kStopCountMax));
  }
  for (const std::string& stop : stops) {
    if (stop.size() > kStopBytesMax) {
      return wrong(path, fmt::format("a stop string may have at most {} bytes", kStopBytesMax));
    }
  }
  return stops;
}

}  // namespace fh::dialects
