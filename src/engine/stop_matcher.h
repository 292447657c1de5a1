#pragma once
// Turns the bytes of sampled tokens into text that may be sent: whole UTF-8 only, cut at the first
// stop string, with everything held back that could still become part of one. The result does not
// depend on how the bytes are split into tokens: pushing one byte at a time gives the same text and
// the same match as pushing all at once.
//
// The first match is the one whose last byte comes first; of several that end there, the longest. A
// stop string counts when it spans several tokens and when it begins in the middle of one. Bytes
// that are not UTF-8 become U+FFFD, one per maximal malformed run as the Unicode standard
// recommends.
//
// One object per answer; not thread-safe. Cost: O(bytes * stops).

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fh::engine {

class StopMatcher {
 public:
  // Empty stop strings are ignored.
  explicit StopMatcher(std::vector<std::string> stops = {});

  struct Output {
    std::string text;  // may be sent now
    std::uint64_t source_bytes =
        0;  // pushed bytes that `text` stands for (differs from its size after U+FFFD)
    std::optional<std::string> matched;  // the stop string; the answer ends here
  };
  // After a match further bytes are dropped.
  Output push(std::string_view bytes);
  // The end of the text: what was held back. A cut code point becomes U+FFFD; when a limit ended
  // the text (`cut`) it is left out, for nothing was wrong with it. Text pushed later begins anew.
  Output finish(bool cut = false);
  bool stopped() const { return stopped_; }

 private:
  struct Pattern {
    std::string text;
    std::vector<std::uint32_t> fallback;  // Knuth-Morris-Pratt failure function
    std::uint32_t matched = 0;            // bytes of `text` that the text so far ends with
  };
  struct Unit {
    std::uint8_t source_bytes;
    std::uint8_t size;
  };
  void accept_byte(char byte, Output& out);
  void accept_unit(std::string_view unit, std::uint8_t source_bytes, Output& out);
  void release(std::size_t keep, Output& out);

  std::vector<Pattern> patterns_;
  std::string partial_;  // bytes of a code point not complete yet
  std::string held_;     // whole code points held back
  std::deque<Unit> held_units_;
  bool stopped_ = false;
};

}  // namespace fh::engine
