#pragma once
// A forward scanner over one JSON text for readers that need a few fields of a large record. Values
// that are not asked for are jumped over without decoding them; of those it is checked only that
// strings end and brackets match, which is what tells a whole record from a cut one. A reader that
// must be sure of the grammar uses codec/json.h.
//
//   Scanner scan(line);
//   if (scan.open_object()) {
//     std::string_view key;
//     while (scan.next_key(key)) {
//       if (key == "id") id = scan.value(); else scan.value();
//     }
//   }
//   if (!scan.ok()) ...   // nothing that was read may be believed
//
// After next_key or next_element the caller takes the value by exactly one of value(),
// open_object() and open_array(); an opened container is read to its end. No recursion, no
// allocation. The text must outlive the scanner and every view it gave. One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fh::codec::json {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Opens the value at hand if it is an object (array); otherwise changes nothing.
  bool open_object() { return open('{'); }
  bool open_array() { return open('['); }
  // The next member's key, raw, without its quotes; false: the object has ended, or !ok().
  bool next_key(std::string_view& key);
  // Whether another element follows; false: the array has ended, or !ok().
  bool next_element();
  // Source text of the value at hand; empty when !ok().
  std::string_view value();
  // The first byte of the value at hand, 0 at the end of the text.
  char peek();

  bool ok() const { return !failed_; }
  // Whether only space is left.
  bool at_end();

 private:
  bool open(char bracket);
  bool separator(char closing, bool& closed);
  void skip_space();
  bool skip_string();
  bool skip_container();
  bool fail();

  const char* at_;
  const char* end_;
  bool fresh_ = false;  // just behind an opening bracket: no comma is due
  bool failed_ = false;
};

// Of a value's source text: the decoded string (RFC 8259, section 7; broken UTF-8 and half
// surrogate pairs become U+FFFD); nullopt when it is no string or an escape is wrong.
std::optional<std::string> string_of(std::string_view raw);
// The whole number from 0 to 2^63-1; nullopt for anything else.
std::optional<std::uint64_t> whole_of(std::string_view raw);

}  // namespace fh::codec::json
