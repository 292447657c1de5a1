#pragma once
// Where the bytes lie that give a CSV text its structure: the delimiter, quotes, line breaks, and
// the NUL that must not be there. They are looked for 64 bytes at once, a window of the text ahead,
// so that a reader only walks along a list. One thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fh::importers {

class CsvMarks {
 public:
  // Where a walk over the marks stands: a value to be kept in registers. `text` is that of begin().
  struct Cursor {
    const std::uint16_t* at = nullptr;   // the next mark, and the end of those that are known,
    const std::uint16_t* end = nullptr;  // as distances from `window`
    std::size_t window = 0;
  };
  // A walk over `text` from `from` on. It ends with the next call of this.
  Cursor begin(std::string_view text, std::size_t from, char delimiter) {
    text_ = text;
    delimiter_ = delimiter;
    ahead_ = from;
    return {};
  }
  // The marks that follow those that were given before; none (at == end): there are no more.
  [[gnu::noinline]] Cursor look_ahead();

 private:
  static constexpr std::size_t kWindow = 2048;
  static constexpr std::size_t kSpare = 12;  // written in groups, the last of which is not all used

  std::string_view text_;
  std::size_t ahead_ = 0;  // how far it was looked
  char delimiter_ = 0;
  std::array<std::uint16_t, kWindow + kSpare> found_;
};

}  // namespace fh::importers
