#pragma once
// One line of an engine script as a list of pieces: words, strings and, at the end, a JSON value.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::engine::scripted {

struct Piece {
  enum class Kind : std::uint8_t { Word, String, Json };
  Kind kind = Kind::Word;
  std::string text;  // String: unescaped, any bytes; Json: as written
};

struct Line {
  int number = 0;
  bool indented = false;
  std::vector<Piece> pieces;  // not empty
};

// Drops empty lines and comments ("#" outside strings and JSON).
base::Result<std::vector<Line>> split_lines(std::string_view script);

std::unexpected<base::Error> line_error(int line, std::string message, std::string hint = {});

}  // namespace fh::engine::scripted
