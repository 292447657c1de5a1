#pragma once
// The regular expressions of JSON Schema's `pattern` (ECMA-262 without look-around, back
// references, word boundaries and property classes): parsed once, then matched in polynomial time
// or written as GBNF over the inside of a JSON string. Pure values; any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fh::engine::llama {

// Inclusive code point ranges, sorted and not overlapping.
using CharSet = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

struct PatternNode {
  enum class Kind : std::uint8_t { Set, Sequence, Choice, Repeat, Begin, End };
  Kind kind = Kind::Sequence;
  CharSet set;                     // Set
  std::vector<PatternNode> parts;  // Sequence, Choice; Repeat: one
  std::uint32_t min = 0;           // Repeat
  std::uint32_t max = 0;
  static constexpr std::uint32_t kNoMax = UINT32_MAX;
};

class Pattern {
 public:
  // Error: InvalidArgument when the text is no regular expression of the supported kind.
  static base::Result<Pattern> parse(std::string_view text);
  // Whether some part of `text` matches (anchors bind to its ends), as JSON Schema wants it.
  bool matches(std::string_view text) const;
  // GBNF expression for the inside of a JSON string (between the quotes) whose value matches.
  // Narrower than the pattern where JSON escapes would be needed for rare control characters; never
  // wider. `any_char` is the rule of one JSON string character. Error: InvalidArgument when nothing
  // can match or an anchor stands inside.
  base::Result<std::string> to_gbnf(std::string_view any_char) const;

 private:
  PatternNode root_;
};

}  // namespace fh::engine::llama
