#pragma once
// MessageReader: a thread that reads one message socket (fd.h) and calls back, for roles whose own
// loop cannot poll a descriptor. It borrows the socket, which may be written from other threads
// meanwhile.

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

#include "base/os/fd.h"

namespace fh::base::os {

class MessageReader {
  struct Key {};  // only start() makes one

 public:
  struct Callbacks {
    // On the reader's thread; must not throw and must not destroy the reader.
    std::function<void(Message)> on_message;
    // Once, last: the peer has closed (ok) or a message could not be read. Not called when the
    // reader is destroyed.
    std::function<void(Status)> on_closed;
  };

  // `fd` outlives the reader.
  static Result<std::unique_ptr<MessageReader>> start(int fd, std::size_t bytes_max,
                                                      Callbacks callbacks);
  MessageReader(Key, int fd, std::size_t bytes_max, Callbacks callbacks, Fd stop);
  // Returns when the thread has ended; no callback comes afterwards.
  ~MessageReader();
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

 private:
  void run() noexcept;
  bool wait_readable() const;

  int fd_;
  std::size_t bytes_max_;
  Callbacks callbacks_;
  Fd stop_;  // eventfd
  std::thread thread_;
};

}  // namespace fh::base::os
