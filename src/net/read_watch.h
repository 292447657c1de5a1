#pragma once
// Watches a descriptor of somebody else's in the event loop: calls a function on the loop's thread
// whenever there is something to read, or the other side has hung up. For peers that are not HTTP
// connections (a worker's socket).

#include <functional>
#include <memory>

#include "net/runtime.h"

namespace fh::net {

class ReadWatch {
 public:
  // Loop's thread. `fd` stays the caller's and outlives this object. `on_readable` may destroy it.
  ReadWatch(Runtime& runtime, int fd, std::function<void()> on_readable);
  // Loop's thread, or after the loop has ended. Nothing is called from here on.
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fh::net
