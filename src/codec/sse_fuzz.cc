// Fuzz target of the event stream parser: the bytes at once and the bytes in pieces give the same
// events, all of them UTF-8, and events that are written are read back. The first byte chooses the
// size of the pieces.

#include <cstdint>

#include "base/check.h"
#include "codec/sse.h"
#include "codec/utf8.h"

namespace sse = fh::codec::sse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 16;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const sse::Limits limits{.line_bytes_max = 512, .event_bytes_max = 1024};

  sse::Parser whole(limits);
  std::vector<sse::Event> expected;
  const bool whole_good = whole.push(stream, expected).has_value();

  sse::Parser pieces(limits);
  std::vector<sse::Event> events;
  bool pieces_good = true;
  for (std::size_t at = 0; at < stream.size() && pieces_good; at += piece) {
    pieces_good = pieces.push(stream.substr(at, piece), events).has_value();
  }
  FH_CHECK(whole_good == pieces_good);
  FH_CHECK(events == expected);
  FH_CHECK(!whole_good || whole.mid_event() == pieces.mid_event());

  std::string written;
  for (const sse::Event& event : events) {
    FH_CHECK(fh::codec::utf8::valid(event.data));
    FH_CHECK(fh::codec::utf8::valid(event.type));
    sse::append_event(written, event.type, event.data);
  }
  sse::Parser again;
  std::vector<sse::Event> read_back;
  FH_CHECK(again.push(written, read_back).has_value());
  FH_CHECK(read_back.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    FH_CHECK(read_back[i].data == events[i].data);
    FH_CHECK(read_back[i].type == events[i].type);
  }
  return 0;
}
