#pragma once
// Reading and writing the members of a protocol payload. The reader notes the first fault and gives
// default values from then on, so that a parser is a list of fields with one check at its end.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace fh::engine::protocol {

using codec::json::Value;
using codec::json::Writer;

class FieldReader {
 public:
  FieldReader(Value object, std::string_view what);

  std::string text(std::string_view key);
  // Text that may hold any bytes; see write_bytes_text.
  std::string bytes_text(std::string_view key);
  std::vector<std::uint8_t> bytes(std::string_view key);
  bool flag(std::string_view key);
  std::uint64_t u64(std::string_view key);
  std::uint32_t u32(std::string_view key);
  std::int64_t i64(std::string_view key);
  double number(std::string_view key);
  // A number in [0, count): an enumerator.
  std::uint8_t ordinal(std::string_view key, std::uint8_t count);
  // Absent or null: nullopt.
  std::optional<double> optional_number(std::string_view key);
  std::optional<std::uint64_t> optional_u64(std::string_view key);
  std::optional<std::uint32_t> optional_u32(std::string_view key);
  std::optional<std::int32_t> optional_i32(std::string_view key);
  std::vector<Value> array(std::string_view key);
  Value object(std::string_view key);

  void note_fault(std::string_view key, std::string_view problem);
  void absorb(const base::Status& status);  // a nested parser's fault becomes this one's
  base::Status status() const;

 private:
  bool present(std::string_view key) const;
  Value value_;
  std::string what_;
  std::optional<base::Error> fault_;
};

// Doubles as JSON numbers, the three that JSON lacks as "nan", "inf" and "-inf".
void write_number(Writer& out, double value);
std::optional<double> read_number(Value value);
// UTF-8 text as a string; any other bytes as {"hex":"..."}: exact both ways.
void write_bytes_text(Writer& out, std::string_view text);
void write_hex(Writer& out, std::string_view bytes);
std::optional<std::string> read_hex(std::string_view hex);

}  // namespace fh::engine::protocol
