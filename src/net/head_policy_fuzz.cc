// Fuzz target: parser and head policy on arbitrary bytes, as a request and as a response. The first
// byte chooses the form and how the rest is cut into pieces. What must hold: no crash; cutting
// changes neither the verdict nor what was read; and a head that passes has exactly one way to be
// framed.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/message_parser_impl.h"
#include "net/text.h"

namespace {

using fh::net::BodyKind;
using fh::net::HeadFacts;
using fh::net::MessageParser;
using fh::net::RawHead;

constexpr std::size_t kBodyMax = 1 << 20;

struct Reading {
  bool refused = false;
  bool head_passed = false;
  bool complete = false;
  HeadFacts facts;
  std::string body;
  std::size_t taken = 0;
};

std::size_t count(const RawHead& head, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      head.fields.begin(), head.fields.end(),
      [name](const auto& field) { return fh::net::equal_ignoring_case(field.name, name); }));
}

void check_passed(const RawHead& head, const HeadFacts& facts, bool request) {
  const std::size_t codings = count(head, "transfer-encoding");
  const std::size_t lengths = count(head, "content-length");
  FH_CHECK(codings + lengths <= 1);
  FH_CHECK(facts.body != BodyKind::Chunked || (codings == 1 && head.version_minor == 1));
  FH_CHECK(facts.body != BodyKind::Length || (lengths == 1 && facts.content_length > 0));
  FH_CHECK(head.version_major == 1 && head.fields.size() <= 100);
  if (!request) return;
  FH_CHECK(facts.body != BodyKind::UntilClose);
  FH_CHECK(!facts.path.empty() && (facts.path.front() == '/' || facts.path == "*"));
  FH_CHECK(count(head, "host") == 1 || head.version_minor == 0);
  FH_CHECK(facts.path.find('\0') == std::string::npos);
}

Reading read(std::string_view bytes, bool request, std::size_t piece) {
  MessageParser parser(request ? MessageParser::Kind::Request : MessageParser::Kind::Response, {});
  Reading out;
  while (out.taken < bytes.size() && !parser.head_complete() && !parser.refused()) {
    out.taken += parser.feed_head(bytes.substr(out.taken, piece));
  }
  if (parser.head_complete() && !parser.refused()) {
    const auto facts = request ? fh::net::check_head(parser.head())
                               : fh::net::check_response_head(parser.head(), "GET");
    out.refused = !facts;
    if (!facts) return out;
    out.head_passed = true;
    out.facts = *facts;
    check_passed(parser.head(), *facts, request);
    if (facts->body == BodyKind::Chunked) {
      while (out.taken < bytes.size() && !parser.complete() && !parser.refused()) {
        out.taken += parser.feed_chunked(bytes.substr(out.taken, piece), out.body, kBodyMax);
      }
      out.complete = parser.complete();
    }
  }
  out.refused = parser.refused();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 200'000) return 0;
  const bool request = (data[0] & 1) == 0;
  const std::size_t piece = 1 + (data[0] >> 1);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Reading whole = read(bytes, request, bytes.size() + 1);
  const Reading cut = read(bytes, request, piece);
  // Caps on silent framing bytes are counted per piece; only there may the verdicts differ.
  if (bytes.size() < 4'096) {
    FH_CHECK(whole.refused == cut.refused);
    FH_CHECK(whole.head_passed == cut.head_passed);
    FH_CHECK(whole.facts.path == cut.facts.path && whole.facts.query == cut.facts.query);
    FH_CHECK(whole.facts.body == cut.facts.body);
    FH_CHECK(whole.facts.keep_alive == cut.facts.keep_alive);
    FH_CHECK(whole.complete == cut.complete);
    FH_CHECK(whole.refused || (whole.body == cut.body && whole.taken == cut.taken));
  }
  return 0;
}
