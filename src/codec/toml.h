#pragma once
// Configuration files in TOML 1.0, read with toml++ and checked against a schema that the caller
// writes as one table. Everything a reader of the file wants to know about a mistake is in the
// error: the line, the key, what is allowed, and for an unknown key the known one that it
// resembles.
//
//   static constexpr toml::Key kSchema[] = {
//       {"server.listen", toml::Type::String},     // a key in a table
//       {"models.*.path", toml::Type::String},     // "*": any name, here of a model; matches
//       before it: exact names
//       {"upstreams[].url", toml::Type::String},   // each table of an array of tables
//       {"labels.*", toml::Type::Any},
//   };
//   FH_TRY(const toml::File file, toml::File::parse(text));
//   FH_TRY_VOID(file.check(kSchema));
//   file.root()["server"]["listen"].as_string();
//
// A File is immutable: any thread may read it. Views live as long as the File (moving it keeps them
// valid).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fh::codec::toml {

enum class Type : std::uint8_t {
  Bool,
  Int,
  Double,  // in a schema: an integer will do
  String,
  Strings,  // in a schema only: an array of strings
  Array,
  Table,  // in a schema: a table with keys of any name and kind
  Any,    // in a schema only
  Date,   // date, time or both: never asked for, but found in files
};

struct Key {
  std::string_view path;
  Type type = Type::Any;
};

class File;

class Value {
 public:
  Value() = default;  // absent
  bool exists() const { return file_ != nullptr; }
  Type type() const;  // Bool, Int, Double, String, Array, Table or Date
  bool is_table() const { return exists() && type() == Type::Table; }
  bool is_array() const { return exists() && type() == Type::Array; }

  // nullopt when absent or of another type; as_double takes integers.
  std::optional<bool> as_bool() const;
  std::optional<std::int64_t> as_int() const;
  std::optional<double> as_double() const;
  std::optional<std::string_view> as_string() const;
  std::optional<std::vector<std::string>> as_strings() const;

  Value operator[](std::string_view key) const;
  Value operator[](std::size_t index) const;
  std::size_t size() const;
  std::vector<std::pair<std::string_view, Value>> members() const;  // in the order of the file
  std::vector<Value> elements() const;

  std::size_t line() const;  // from 1; 0 when absent
  std::string path() const;  // "upstreams[0].url"; names that need it are quoted
  // For a value that has the right type and is wrong all the same: "`server.port` in line 3
  // <what>", with the field set.
  base::Error error(std::string_view what) const;

 private:
  friend class File;
  Value(const void* file, std::uint32_t node) : file_(file), node_(node) {}
  const void* file_ = nullptr;
  std::uint32_t node_ = 0;
};

struct Limits {
  std::size_t bytes_max = 1024 * 1024;
  std::size_t brackets_max = 32;  // open at once
  std::size_t segments_max = 32;  // of one dotted key or header
};

class File {
 public:
  // Error: InvalidArgument, "line N, column M: ...".
  static base::Result<File> parse(std::string_view text, const Limits& limits = {});
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();

  Value root() const;
  // Every deviation from the schema, in the order of the file: "unknown key `lisen` in line 3; did
  // you mean `listen`?",
  // "`server.port` in line 4 must be an integer, not a string". Error.field is the path of the key.
  std::vector<base::Error> problems(std::span<const Key> schema) const;
  // The first of them.
  base::Status check(std::span<const Key> schema) const;
  struct Impl;

 private:
  explicit File(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The word of `candidates` nearest to `word` by edits (insert, delete, replace, swap of
// neighbours), or "" when all are too far to be what was meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace fh::codec::toml
