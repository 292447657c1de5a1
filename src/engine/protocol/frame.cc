// Framing; see frame.h and docs/formats/worker-protocol.md.
#include "engine/protocol/frame.h"

#include <utility>

namespace fh::engine::protocol {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kFixedBytes = kHeaderBytes - kLengthBytes;  // counted by the length field
constexpr std::size_t kCompactBytes = 64 * 1024;

void put_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

std::uint64_t get_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::size_t frame_max(Sender sender) {
  return sender == Sender::Gateway ? kFrameMaxFromGateway : kFrameMaxFromWorker;
}

}  // namespace

std::optional<FrameType> frame_type(std::uint8_t value) {
  const bool worker =
      value >= std::to_underlying(FrameType::Hello) && value <= std::to_underlying(FrameType::Pong);
  const bool gateway = value >= std::to_underlying(FrameType::Prepare) &&
                       value <= std::to_underlying(FrameType::Shutdown);
  if (!worker && !gateway) return std::nullopt;
  return static_cast<FrameType>(value);
}

Sender sender_of(FrameType type) {
  return type >= FrameType::Prepare ? Sender::Gateway : Sender::Worker;
}

std::string_view frame_type_name(FrameType type) {
  switch (type) {
    case FrameType::Hello: return "hello";
    case FrameType::Info: return "info";
    case FrameType::Status: return "status";
    case FrameType::Prepared: return "prepared";
    case FrameType::PrepareFailed: return "prepare_failed";
    case FrameType::Event: return "event";
    case FrameType::Pong: return "pong";
    case FrameType::Prepare: return "prepare";
    case FrameType::Start: return "start";
    case FrameType::Cancel: return "cancel";
    case FrameType::Ping: return "ping";
    case FrameType::Shutdown: return "shutdown";
  }
  return "unknown";
}

base::Result<std::string> encode_frame(const Frame& frame) {
  if (frame.payload.size() > frame_max(sender_of(frame.type)) - kHeaderBytes) {
    return base::fail(base::Code::OutOfRange,
                      "a " + std::string(frame_type_name(frame.type)) + " frame of " +
                          std::to_string(frame.payload.size()) + " bytes is too large");
  }
  std::string out;
  out.reserve(kHeaderBytes + frame.payload.size());
  put_little_endian(out, kFixedBytes + frame.payload.size(), 4);
  out += static_cast<char>(frame.type);
  put_little_endian(out, frame.id, 8);
  out += frame.payload;
  return out;
}

FrameDecoder::FrameDecoder(Sender sender) : sender_(sender), frame_max_(frame_max(sender)) {}

base::Status FrameDecoder::feed(std::string_view bytes) {
  if (broken_) return std::unexpected(*broken_);
  compact();
  buffer_ += bytes;
  return check_header();
}

std::optional<Frame> FrameDecoder::next() {
  if (broken_) return std::nullopt;
  const std::string_view rest = std::string_view(buffer_).substr(position_);
  if (rest.size() < kHeaderBytes) return std::nullopt;
  const std::size_t total = kLengthBytes + get_little_endian(rest.substr(0, kLengthBytes));
  if (rest.size() < total) return std::nullopt;
  Frame frame;
  frame.type = *frame_type(static_cast<std::uint8_t>(rest[kLengthBytes]));
  frame.id = get_little_endian(rest.substr(kLengthBytes + 1, 8));
  frame.payload = rest.substr(kHeaderBytes, total - kHeaderBytes);
  position_ += total;
  // The next header is looked at now, so that `next` never meets an unchecked one.
  static_cast<void>(check_header());
  return frame;
}

base::Status FrameDecoder::status() const {
  if (broken_) return std::unexpected(*broken_);
  return {};
}

base::Status FrameDecoder::check_header() {
  const std::string_view rest = std::string_view(buffer_).substr(position_);
  const auto broken = [this](std::string what) {
    broken_ = base::Error{base::Code::DataLoss, "worker protocol: " + std::move(what), {}, {}, {}};
    return std::unexpected(*broken_);
  };
  if (rest.size() < kLengthBytes) return {};
  const std::uint64_t length = get_little_endian(rest.substr(0, kLengthBytes));
  if (length < kFixedBytes) return broken("a frame shorter than its header");
  if (kLengthBytes + length > frame_max_) {
    return broken("a frame of " + std::to_string(length) + " bytes, more than the limit");
  }
  if (rest.size() == kLengthBytes) return {};
  const auto type = frame_type(static_cast<std::uint8_t>(rest[kLengthBytes]));
  if (!type) return broken("an unknown frame type");
  if (sender_of(*type) != sender_) {
    return broken("a " + std::string(frame_type_name(*type)) + " frame from the wrong side");
  }
  return {};
}

void FrameDecoder::compact() {
  if (position_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kCompactBytes) buffer_.shrink_to_fit();
  } else if (position_ >= kCompactBytes) {
    buffer_.erase(0, position_);
  } else {
    return;
  }
  position_ = 0;
}

}  // namespace fh::engine::protocol
