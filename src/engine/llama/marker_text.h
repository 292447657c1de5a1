#pragma once
// What parsers of answers ask of a text.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace fh::engine::llama {

inline bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
inline std::size_t leading_space(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_space(text[n])) ++n;
  return n;
}
// Length without it.
inline std::size_t without_trailing_space(std::string_view text) {
  std::size_t n = text.size();
  while (n > 0 && is_space(text[n - 1])) --n;
  return n;
}
// Length of the longest end of `text` that is a beginning of `marker`, and not all of it.
inline std::size_t partial_marker(std::string_view text, std::string_view marker) {
  if (marker.empty()) return 0;
  for (std::size_t n = std::min(text.size(), marker.size() - 1); n > 0; --n) {
    if (text.ends_with(marker.substr(0, n))) return n;
  }
  return 0;
}

}  // namespace fh::engine::llama
