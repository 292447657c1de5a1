// Members of a protocol payload; see fields.h.
#include "engine/protocol/fields.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "codec/utf8.h"

namespace fh::engine::protocol {
namespace {

// Through the source text: seeds use all 64 bits, which a signed accessor cannot give.
template <typename T>
std::optional<T> integer_of(Value value) {
  if (!value.is_number()) return std::nullopt;
  const std::string_view raw = value.raw();
  T number{};
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return number;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

FieldReader::FieldReader(Value object, std::string_view what) : value_(object), what_(what) {
  if (!object.is_object()) note_fault("", "is not an object");
}

bool FieldReader::present(std::string_view key) const {
  const Value v = value_[key];
  return v.exists() && !v.is_null();
}

void FieldReader::note_fault(std::string_view key, std::string_view problem) {
  if (fault_) return;
  std::string message = "worker protocol: " + what_;
  if (!key.empty()) message.append(".").append(key);
  message.append(" ").append(problem);
  fault_ = base::Error{base::Code::DataLoss, std::move(message), {}, {}, {}};
}

void FieldReader::absorb(const base::Status& status) {
  if (!status && !fault_) fault_ = status.error();
}

base::Status FieldReader::status() const {
  if (fault_) return std::unexpected(*fault_);
  return {};
}

std::string FieldReader::text(std::string_view key) {
  if (const auto s = value_[key].as_string()) return std::string(*s);
  note_fault(key, "is not a string");
  return {};
}

std::string FieldReader::bytes_text(std::string_view key) {
  const Value v = value_[key];
  if (v.is_string()) return text(key);
  if (const auto hex = v["hex"].as_string()) {
    if (auto decoded = read_hex(*hex)) return *std::move(decoded);
  }
  note_fault(key, "is neither a string nor hexadecimal bytes");
  return {};
}

std::vector<std::uint8_t> FieldReader::bytes(std::string_view key) {
  if (const auto hex = value_[key].as_string()) {
    if (const auto decoded = read_hex(*hex)) return {decoded->begin(), decoded->end()};
  }
  note_fault(key, "is not hexadecimal bytes");
  return {};
}

bool FieldReader::flag(std::string_view key) {
  if (const auto b = value_[key].as_bool()) return *b;
  note_fault(key, "is not a boolean");
  return false;
}

std::uint64_t FieldReader::u64(std::string_view key) {
  if (const auto n = integer_of<std::uint64_t>(value_[key])) return *n;
  note_fault(key, "is not an unsigned integer");
  return 0;
}

std::uint32_t FieldReader::u32(std::string_view key) {
  if (const auto n = integer_of<std::uint32_t>(value_[key])) return *n;
  note_fault(key, "is not an unsigned 32-bit integer");
  return 0;
}

std::int64_t FieldReader::i64(std::string_view key) {
  if (const auto n = integer_of<std::int64_t>(value_[key])) return *n;
  note_fault(key, "is not an integer");
  return 0;
}

double FieldReader::number(std::string_view key) {
  if (const auto n = read_number(value_[key])) return *n;
  note_fault(key, "is not a number");
  return 0;
}

std::uint8_t FieldReader::ordinal(std::string_view key, std::uint8_t count) {
  const auto n = integer_of<std::uint8_t>(value_[key]);
  if (n && *n < count) return *n;
  note_fault(key, "is not a known value");
  return 0;
}

std::optional<double> FieldReader::optional_number(std::string_view key) {
  if (!present(key)) return std::nullopt;
  return number(key);
}

std::optional<std::uint64_t> FieldReader::optional_u64(std::string_view key) {
  if (!present(key)) return std::nullopt;
  return u64(key);
}

std::optional<std::uint32_t> FieldReader::optional_u32(std::string_view key) {
  if (!present(key)) return std::nullopt;
  return u32(key);
}

std::optional<std::int32_t> FieldReader::optional_i32(std::string_view key) {
  if (!present(key)) return std::nullopt;
  if (const auto n = integer_of<std::int32_t>(value_[key])) return *n;
  note_fault(key, "is not a 32-bit integer");
  return std::nullopt;
}

std::vector<Value> FieldReader::array(std::string_view key) {
  const Value v = value_[key];
  if (v.is_array()) return v.elements();
  note_fault(key, "is not an array");
  return {};
}

Value FieldReader::object(std::string_view key) {
  const Value v = value_[key];
  if (!v.is_object()) note_fault(key, "is not an object");
  return v;
}

void write_number(Writer& out, double value) {
  if (std::isnan(value)) {
    out.value("nan");
  } else if (std::isinf(value)) {
    out.value(value > 0 ? "inf" : "-inf");
  } else {
    out.value(value);
  }
}

std::optional<double> read_number(Value value) {
  if (value.is_number()) return value.as_double();
  const auto name = value.as_string();
  if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (name == "inf") return std::numeric_limits<double>::infinity();
  if (name == "-inf") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

void write_hex(Writer& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  out.value(hex);
}

void write_bytes_text(Writer& out, std::string_view text) {
  if (codec::utf8::valid(text)) {
    out.value(text);
    return;
  }
  out.object().key("hex");
  write_hex(out, text);
  out.end_object();
}

std::optional<std::string> read_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace fh::engine::protocol
