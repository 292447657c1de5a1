#pragma once
// The number form of JSON (RFC 8259, section 6) on its text: grammar check and exact conversions. A
// number is kept as text and converted on demand, so that no digit is lost before somebody asks for
// a type. Pure functions.

#include <cstdint>
#include <optional>
#include <string_view>

namespace fh::codec::json {

bool is_json_number(std::string_view text);
// `text` is a JSON number. The exact value when it is a whole number in range ("3.0" and "12e2"
// are), else nullopt.
std::optional<std::int64_t> json_number_as_int(std::string_view text);
// `text` is a JSON number. Nearest double; nullopt when it is too large, 0 or -0 when it is too
// small.
std::optional<double> json_number_as_double(std::string_view text);

}  // namespace fh::codec::json
