// The reading thread of a message socket: see channel.h.

#include "base/os/channel.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

#include "base/check.h"

namespace fh::base::os {

Result<std::unique_ptr<MessageReader>> MessageReader::start(int fd, std::size_t bytes_max,
                                                            Callbacks callbacks) {
  Fd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop) return std::unexpected(error_from_errno("cannot make an event descriptor", errno));
  return std::make_unique<MessageReader>(Key(), fd, bytes_max, std::move(callbacks),
                                         std::move(stop));
}

MessageReader::MessageReader(Key, int fd, std::size_t bytes_max, Callbacks callbacks, Fd stop)
    : fd_(fd),
      bytes_max_(bytes_max),
      callbacks_(std::move(callbacks)),
      stop_(std::move(stop)),
      thread_([this] { run(); }) {}

MessageReader::~MessageReader() {
  FH_CHECK(thread_.get_id() != std::this_thread::get_id());
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

// false: the reader is being destroyed.
bool MessageReader::wait_readable() const {
  pollfd waits[2] = {{fd_, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (poll(waits, 2, -1) < 0) FH_CHECK(errno == EINTR);
  return waits[1].revents == 0;
}

void MessageReader::run() noexcept {
  while (wait_readable()) {
    Result<std::optional<Message>> message = receive_message(fd_, bytes_max_);
    if (!message && message.error().code == Code::ResourceExhausted) continue;
    if (!message || !*message) {
      if (callbacks_.on_closed) {
        callbacks_.on_closed(message ? Status() : std::unexpected(std::move(message).error()));
      }
      return;
    }
    callbacks_.on_message(std::move(**message));
  }
}

}  // namespace fh::base::os
