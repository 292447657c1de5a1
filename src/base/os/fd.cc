// Descriptors: see fd.h.

#include "base/os/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace fh::base::os {

void Fd::reset(int fd) {
  // close(2) is never repeated on EINTR: on Linux the number is free after the first call in any
  // case.
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Result<Pipe> make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return std::unexpected(error_from_errno("cannot make a pipe", errno));
  }
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<std::pair<Fd, Fd>> make_socketpair(SocketKind kind) {
  const int type = kind == SocketKind::Stream ? SOCK_STREAM : SOCK_SEQPACKET;
  int fds[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) {
    return std::unexpected(error_from_errno("cannot make a socket pair", errno));
  }
  return std::pair(Fd(fds[0]), Fd(fds[1]));
}

Status set_nonblocking(int fd, bool on) {
  const int flags = fcntl(fd, F_GETFL);
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (flags < 0 || fcntl(fd, F_SETFL, wanted) != 0) {
    return std::unexpected(error_from_errno("cannot change a descriptor's mode", errno));
  }
  return {};
}

Result<std::size_t> read_full(int fd, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = read(fd, out.data() + done, out.size() - done);
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(error_from_errno("cannot read", errno));
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Status write_full(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(error_from_errno("cannot write", errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Status send_message(int fd, std::string_view bytes, std::span<const int> fds) {
  FH_CHECK(!bytes.empty() && fds.size() <= kMessageFdsMax);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMessageFdsMax)] = {};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  if (!fds.empty()) {
    head.msg_control = control;
    head.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* item = CMSG_FIRSTHDR(&head);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(item), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(fd, &head, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  if (errno == EAGAIN || errno == ENOBUFS) {
    return fail(Code::ResourceExhausted, "the process at the other end does not read its messages");
  }
  return std::unexpected(error_from_errno("cannot send a message", errno));
}

namespace {

std::vector<Fd> take_fds(msghdr& head) {
  std::vector<Fd> fds;
  for (cmsghdr* item = CMSG_FIRSTHDR(&head); item != nullptr; item = CMSG_NXTHDR(&head, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Result<std::optional<Message>> receive_message(int fd, std::size_t bytes_max) {
  Message message;
  message.bytes.resize(bytes_max);
  iovec part{message.bytes.data(), message.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMessageFdsMax)] = {};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = control;
  head.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(fd, &head, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == ECONNRESET) return std::optional<Message>();
    if (errno == EAGAIN) return fail(Code::ResourceExhausted, "no message is waiting");
    return std::unexpected(error_from_errno("cannot receive a message", errno));
  }
  // Taken before any check, so that a refused message cannot leave descriptors open here.
  message.fds = take_fds(head);
  if ((head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail(Code::InvalidArgument, "a message is larger than its reader allows");
  }
  if (got == 0) return std::optional<Message>();
  message.bytes.resize(static_cast<std::size_t>(got));
  return std::optional<Message>(std::move(message));
}

}  // namespace fh::base::os
