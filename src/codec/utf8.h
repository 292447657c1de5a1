#pragma once
// UTF-8 (RFC 3629): checking, repairing, and a gate that turns byte fragments cut anywhere into
// fragments of whole code points. Invalid bytes become U+FFFD, one for each maximal subpart of an
// ill-formed sequence (The Unicode Standard, section 3.9). Surrogates, overlong forms and values
// above U+10FFFF are ill-formed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fh::codec::utf8 {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

enum class Sequence : std::uint8_t {
  Whole,       // one code point
  Incomplete,  // a right beginning; the text ends before the sequence does
  Invalid,     // to be replaced by one U+FFFD
};
struct Step {
  Sequence kind = Sequence::Invalid;
  std::size_t size_bytes = 1;  // how much of the text it covers, at least 1
};

// The sequence at the start of `text`, which is not empty.
Step first_sequence(std::string_view text);

bool valid(std::string_view text);
// Length of the longest prefix that is valid; text.size() when all of it is.
std::size_t valid_prefix_bytes(std::string_view text);
// `text` with every invalid part replaced.
std::string repaired(std::string_view text);
void append_repaired(std::string& out, std::string_view text);
// Appends the encoding of `code_point`; U+FFFD for surrogates and values above U+10FFFF.
void append_code_point(std::string& out, std::uint32_t code_point);
// The longest prefix of valid `text` of at most `bytes_max` bytes that ends between code points.
std::string_view truncated(std::string_view text, std::size_t bytes_max);

}  // namespace fh::codec::utf8

namespace fh::codec {

// Takes bytes, gives text: what comes out is valid UTF-8 and ends between code points. At most
// three bytes wait inside for the rest of their sequence. One stream, one thread.
class Utf8Gate {
 public:
  std::string push(std::string_view bytes);
  // The stream is over: an unfinished sequence becomes U+FFFD.
  std::string finish();
  std::size_t waiting_bytes() const { return waiting_.size(); }

 private:
  std::string waiting_;
};

}  // namespace fh::codec
