#pragma once
// JSON in and out. Reading: simdjson finds the tokens and checks the UTF-8, one walk over the
// tokens checks the grammar and builds a flat node array that keeps member order and the exact
// source text of every value (numbers keep their text form, schemas their key order). Rules of ours
// on top: depth limit, value count limit, duplicate keys refused, the whole text is one value, no
// byte order mark. An escape that names half of a surrogate pair is read as U+FFFD, so that no
// decoded text ever holds one. Writing: an append-only writer. Threads: values are plain; a
// Document may move between threads. Grammar: RFC 8259.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fh::codec::json {

enum class Kind : std::uint8_t { Null, Bool, Number, String, Array, Object };
std::string_view kind_name(Kind kind);  // "null", "boolean", "number", "string", "array", "object"

struct Limits {
  std::size_t depth_max = 64;
  std::size_t bytes_max = 64 * 1024 * 1024;
  // A value takes about 40 bytes of memory however short its text is; this bounds what a body of
  // "0,0,0" can cost.
  std::size_t values_max = 4'000'000;
};

class Document;

// A view of one value; valid while its Document lives (moving the Document keeps views valid).
class Value {
 public:
  Value() = default;  // an absent value: kind Null, exists() false
  bool exists() const { return doc_ != nullptr; }
  Kind kind() const;
  bool is_null() const { return kind() == Kind::Null; }
  bool is_string() const { return exists() && kind() == Kind::String; }
  bool is_object() const { return exists() && kind() == Kind::Object; }
  bool is_array() const { return exists() && kind() == Kind::Array; }
  bool is_number() const { return exists() && kind() == Kind::Number; }
  bool is_bool() const { return exists() && kind() == Kind::Bool; }

  // nullopt when the kind differs (or the number does not fit; 3.0 is an integer, 3.5 is not).
  std::optional<bool> as_bool() const;
  std::optional<std::int64_t> as_int() const;
  std::optional<double> as_double() const;
  std::optional<std::string_view> as_string() const;  // decoded UTF-8

  std::string_view raw() const;                  // exact source text of the value
  std::size_t size() const;                      // elements or members; 0 for scalars
  Value operator[](std::size_t index) const;     // array element, or absent; constant time
  Value operator[](std::string_view key) const;  // object member, or absent; linear in members

  // for (Value v : value.elements()) and for (auto [key, v] : value.members()); empty for other
  // kinds.
  std::vector<Value> elements() const;
  std::vector<std::pair<std::string_view, Value>> members() const;

 private:
  friend class Document;
  Value(const void* doc, std::uint32_t node) : doc_(doc), node_(node) {}
  const void* doc_ = nullptr;
  std::uint32_t node_ = 0;
};

class Document {
 public:
  // Error: InvalidArgument, message "invalid JSON at byte N: ..." with the position. No source text
  // in the message.
  static base::Result<Document> parse(std::string_view text, const Limits& limits = {});
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  Value root() const;
  struct Impl;

 private:
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Appends `text` as a JSON string with quotes. Invalid UTF-8 becomes U+FFFD; '<', '>' and '&' are
// left alone.
void append_string(std::string& out, std::string_view text);

// w.object(); w.key("a"); w.value(1); w.end_object(); commas are placed by the writer. Misuse is a
// FH_BUG.
class Writer {
 public:
  Writer& object();
  Writer& end_object();
  Writer& array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(bool b);
  Writer& value(double d);  // shortest form that round-trips; NaN and infinities become null
  Writer& value(std::int64_t n);
  Writer& value(std::uint64_t n);
  Writer& value(int n) { return value(static_cast<std::int64_t>(n)); }
  Writer& value(unsigned n) { return value(static_cast<std::uint64_t>(n)); }
  Writer& null();
  Writer& raw(std::string_view json);  // trusted JSON text
  // key + value in one call
  template <typename T>
  Writer& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  Writer& member_null(std::string_view name) {
    key(name);
    return null();
  }
  Writer& member_raw(std::string_view name, std::string_view json) {
    key(name);
    return raw(json);
  }

  const std::string& str() const { return out_; }
  // The finished text; the writer is empty again. Open containers are misuse.
  std::string take();

 private:
  struct Level {
    bool is_object = false;
    bool empty = true;
  };
  void separate();
  void separate_value();
  void close(bool is_object);
  std::string out_;
  std::vector<Level> open_;
  bool after_key_ = false;
};

}  // namespace fh::codec::json
