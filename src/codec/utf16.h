#pragma once
// UTF-16 in pieces to UTF-8: what spreadsheets and shells on Windows write. One object, one thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fh::codec {

class Utf16Stream {
 public:
  // The stream for a text that begins with these bytes, of which a byte order mark is read; nullopt
  // when it begins with none.
  static std::optional<Utf16Stream> of(std::string_view begin);

  // The UTF-8 of the next bytes is appended. Half a surrogate pair becomes U+FFFD, the byte order
  // mark in front is left out.
  void push(std::string_view bytes, std::string& out);
  // After the last bytes.
  void finish(std::string& out);

 private:
  explicit Utf16Stream(bool big_endian) : big_endian_(big_endian) {}
  void unit(std::uint32_t unit, std::string& out);

  bool big_endian_;
  bool first_ = true;
  std::optional<unsigned char> odd_;  // the first byte of a unit that a piece has cut
  std::uint32_t high_ = 0;            // first half of a surrogate pair; 0: none
};

}  // namespace fh::codec
