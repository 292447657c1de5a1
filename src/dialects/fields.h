#pragma once
// Typed reading of a request's JSON members. A wrong type or value gives InvalidArgument whose
// `field` is the path in the client's own terms, "messages.0.content.1.text"; a missing or null
// optional member gives nullopt. Paths are linked on the stack and become text only when something
// is wrong.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace fh::dialects {

using codec::json::Value;

// One step of a path; the parent must outlive it.
class Path {
 public:
  Path() = default;
  Path at(std::string_view key) const { return Path(this, key, 0, false); }
  Path at(std::size_t index) const { return Path(this, {}, index, true); }
  std::string text() const;

 private:
  Path(const Path* parent, std::string_view key, std::size_t index, bool indexed)
      : parent_(parent), key_(key), index_(index), indexed_(indexed) {}
  const Path* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool indexed_ = false;
};

struct NumberRange {
  double low;
  double high;
};
struct IntRange {
  std::int64_t low;
  std::int64_t high;
};

// InvalidArgument at `path`.
std::unexpected<base::Error> wrong(const Path& path, std::string message);
std::unexpected<base::Error> wrong_type(const Path& path, std::string_view wanted, Value got);

// Members of `object`, whose own path is `path`.
base::Result<std::optional<bool>> optional_bool(Value object, std::string_view key,
                                                const Path& path);
base::Result<std::optional<std::string>> optional_string(Value object, std::string_view key,
                                                         const Path& path);
base::Result<std::optional<double>> optional_number(Value object, std::string_view key,
                                                    const Path& path, NumberRange range);
base::Result<std::optional<std::int64_t>> optional_int(Value object, std::string_view key,
                                                       const Path& path, IntRange range);
// An absent Value when missing or null.
base::Result<Value> optional_object(Value object, std::string_view key, const Path& path);
base::Result<Value> optional_array(Value object, std::string_view key, const Path& path);
// Not empty.
base::Result<std::string> required_string(Value object, std::string_view key, const Path& path);
base::Result<Value> required_object(Value object, std::string_view key, const Path& path);
base::Result<Value> required_array(Value object, std::string_view key, const Path& path);
// One of `allowed`, or nullopt when missing or null.
base::Result<std::optional<std::string>> optional_choice(
    Value object, std::string_view key, const Path& path,
    std::initializer_list<std::string_view> allowed);

// A tool's schema, where it names a type, describes an object; the field is that of `type`.
base::Status check_arguments_schema(Value schema, const Path& path);

// Stop strings: a string or an array of strings; empty ones would match at once and are left out.
inline constexpr std::size_t kStopCountMax = 64;
inline constexpr std::size_t kStopBytesMax = 1024;
base::Result<std::vector<std::string>> read_stops(Value value, const Path& path);

}  // namespace fh::dialects
