#pragma once
// One HTTP/1 message from bytes: llhttp in its strict mode plus the caps that it lacks (bytes and
// fields of the head, chunk extensions, trailers), feeding RawHead for the head policy. Sans I/O.
// Not for other folders.
//
// Use: feed_head() until head_complete(), apply the policy, then either read the body by its length
// without this class, or feed_chunked() until complete(); reset() before the next message. After a
// refusal nothing more is taken.

#include <llhttp.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "net/head_policy.h"

namespace fh::net {

struct ParserLimits {
  std::size_t head_bytes_max = 32 * 1024;
  std::size_t header_fields_max = 100;
  std::size_t chunk_extension_bytes_max = 1024;
  std::size_t chunk_line_bytes_max = 4 * 1024;
  std::size_t trailer_bytes_max = 8 * 1024;
};

class MessageParser {
 public:
  enum class Kind : std::uint8_t { Request, Response };
  MessageParser(Kind kind, const ParserLimits& limits);
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  void reset();
  // Both return how many bytes were taken; fewer than given only when the head (message) is
  // complete or refused.
  std::size_t feed_head(std::string_view bytes);
  // Appends decoded bytes to `out`; refuses with 413 when it would grow beyond `out_bytes_max`.
  std::size_t feed_chunked(std::string_view bytes, std::string& out, std::size_t out_bytes_max);

  bool head_complete() const { return head_complete_; }
  bool complete() const { return complete_; }
  bool refused() const { return refused_; }
  const Refusal& refusal() const { return refusal_; }
  RawHead& head() { return head_; }
  bool started() const { return head_bytes_ > 0; }

 private:
  friend struct ParserCallbacks;
  int refuse(int status, std::string_view message);
  std::size_t run(std::string_view bytes);
  void explain(llhttp_errno_t error, std::string_view rest);
  void explain_transfer_encoding(std::string_view rest);
  std::size_t offset_of(const char* at) const;

  llhttp_t parser_{};
  Kind kind_;
  ParserLimits limits_;
  RawHead head_;
  Header field_;
  Refusal refusal_;
  bool refused_ = false;
  bool head_complete_ = false;
  bool complete_ = false;
  bool paused_ = false;
  bool progressed_ = false;  // a callback ran during the current run()
  std::size_t head_bytes_ = 0;
  std::size_t extension_bytes_ = 0;  // of the current chunk
  std::size_t trailer_bytes_ = 0;
  std::size_t silent_bytes_ = 0;  // framing bytes since the last callback
  std::size_t method_end_ = 0;
  std::size_t target_end_ = 0;
  std::string version_;
  std::string* body_ = nullptr;  // only while feed_chunked runs
  std::size_t body_bytes_max_ = 0;
  const char* slice_ = nullptr;  // only while run() runs
};

}  // namespace fh::net
