#pragma once
// Frames between the gateway and a worker process: docs/formats/worker-protocol.md.
//   u32 length   bytes after this field (little-endian): 9 + size of the payload
//   u8  type     FrameType
//   u64 id       the request's number, given by the gateway; 0 where the type has none
//   payload      JSON, or empty
// Both ends trust no length: the decoder knows the largest frame it will take before it reserves a
// byte.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::engine::protocol {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 13;
// Whole frames, header included.
inline constexpr std::size_t kFrameMaxFromGateway = 64 * 1024 * 1024;
inline constexpr std::size_t kFrameMaxFromWorker = 1024 * 1024;

enum class FrameType : std::uint8_t {
  // worker to gateway
  Hello = 1,      // first frame, once
  Info,           // ModelInfo; after Hello and whenever it changes
  Status,         // EngineStatus; whenever it changes, at most four a second
  Prepared,       // answers Prepare
  PrepareFailed,  // answers Prepare
  Event,          // one event of a started request
  Pong,           // answers Ping
  // gateway to worker
  Prepare = 65,
  Start,
  Cancel,
  Ping,
  Shutdown,  // end in order: cancel everything, then close
};
enum class Sender : std::uint8_t { Gateway, Worker };

// nullopt for a number that is no type.
std::optional<FrameType> frame_type(std::uint8_t value);
Sender sender_of(FrameType type);
std::string_view frame_type_name(FrameType type);

struct Frame {
  FrameType type = FrameType::Ping;
  std::uint64_t id = 0;
  std::string payload;
  bool operator==(const Frame&) const = default;
};

// Error OutOfRange if the frame is larger than its sender may send.
base::Result<std::string> encode_frame(const Frame& frame);

// Incremental decoder of what `sender` sends. Feed bytes as they come, take frames until there is
// none, then look at status(): a bad frame right behind a good one shows only there. After an error
// the stream cannot be resynchronised: drop the connection.
class FrameDecoder {
 public:
  explicit FrameDecoder(Sender sender);
  // Error: a length out of bounds, an unknown type, or one that only the other side may send; the
  // same again later.
  base::Status feed(std::string_view bytes);
  std::optional<Frame> next();
  base::Status status() const;
  // Bytes of an incomplete frame are waiting (an end of stream here is a cut).
  bool partial() const { return position_ < buffer_.size(); }

 private:
  base::Status check_header();
  void compact();

  Sender sender_;
  std::size_t frame_max_;
  std::string buffer_;
  std::size_t position_ = 0;  // of the first byte not taken yet
  std::optional<base::Error> broken_;
};

}  // namespace fh::engine::protocol
