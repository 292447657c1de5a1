#pragma once
// Descriptors: an owner that closes, pairs that are always close-on-exec, whole reads and writes,
// and messages that carry descriptors between our own processes (unix(7), SCM_RIGHTS). Nothing here
// may leak into an exec'd program: only os::Spawner hands a descriptor on, by number.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fh::base::os {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor away; the caller closes it.
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};
Result<Pipe> make_pipe();

enum class SocketKind : std::uint8_t {
  Stream,   // bytes in order
  Message,  // SOCK_SEQPACKET: messages in order, their borders kept
};
Result<std::pair<Fd, Fd>> make_socketpair(SocketKind kind);

Status set_nonblocking(int fd, bool on);

// Reads until `out` is full or the other side has ended; returns the bytes read. Blocking
// descriptors only.
Result<std::size_t> read_full(int fd, std::span<std::byte> out);
Status write_full(int fd, std::string_view bytes);

// One message of a SocketKind::Message socket. `bytes` is never empty: an empty message could not
// be told from the end of the connection.
struct Message {
  std::string bytes;
  std::vector<Fd> fds;
};
inline constexpr std::size_t kMessageFdsMax = 16;

// The descriptors are duplicated to the receiver and stay open here. Does not block on a
// non-blocking socket: ResourceExhausted when the peer does not read, Unavailable when it is gone.
Status send_message(int fd, std::string_view bytes, std::span<const int> fds = {});
// nullopt: the peer has closed. A message above `bytes_max` or with more than kMessageFdsMax
// descriptors is an error; its descriptors are closed. On a non-blocking socket with nothing to
// read: ResourceExhausted.
Result<std::optional<Message>> receive_message(int fd, std::size_t bytes_max);

}  // namespace fh::base::os
