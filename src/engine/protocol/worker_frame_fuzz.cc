// Fuzz target: the frame decoder and every payload parser, from both directions. The first byte
// chooses the sender and how the rest is split. What parses must survive being written and parsed
// again unchanged.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"

namespace fh::engine::protocol {
namespace {

template <typename T>
void round_trip(std::string_view payload, base::Result<T> (*parse)(std::string_view),
                std::string (*write)(const T&)) {
  const auto first = parse(payload);
  if (!first) return;
  const std::string text = write(*first);
  const auto second = parse(text);
  FH_CHECK(second.has_value());
  FH_CHECK(write(*second) == text);
}

void parse_payload(const Frame& frame) {
  switch (frame.type) {
    case FrameType::Hello: round_trip(frame.payload, parse_hello, write_hello); break;
    case FrameType::Info: round_trip(frame.payload, parse_info, write_info); break;
    case FrameType::Status: round_trip(frame.payload, parse_status, write_status); break;
    case FrameType::Prepare: round_trip(frame.payload, parse_prepare, write_prepare); break;
    case FrameType::Prepared: round_trip(frame.payload, parse_prepared, write_prepared); break;
    case FrameType::PrepareFailed: round_trip(frame.payload, parse_error, write_error); break;
    case FrameType::Event: round_trip(frame.payload, parse_event, write_event); break;
    default: break;
  }
}

}  // namespace
}  // namespace fh::engine::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fh::engine::protocol;
  if (size == 0) return 0;
  FrameDecoder decoder((data[0] & 1) != 0 ? Sender::Gateway : Sender::Worker);
  const std::size_t piece = std::size_t{1} + (data[0] >> 1);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!rest.empty()) {
    if (!decoder.feed(rest.substr(0, piece))) break;
    while (const auto frame = decoder.next()) parse_payload(*frame);
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  return 0;
}
