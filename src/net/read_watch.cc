// See read_watch.h.

#include "net/read_watch.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

#include "net/runtime_impl.h"

namespace fh::net {

struct ReadWatch::Impl : std::enable_shared_from_this<ReadWatch::Impl> {
  Impl(Runtime& runtime, int fd, std::function<void()> fn)
      : descriptor(runtime.impl().io, fd), on_readable(std::move(fn)) {}

  void wait() {
    descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (error || self->stopped) return;
                            self->on_readable();
                            if (!self->stopped) self->wait();
                          });
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> on_readable;
  bool stopped = false;
};

ReadWatch::ReadWatch(Runtime& runtime, int fd, std::function<void()> on_readable)
    : impl_(std::make_shared<Impl>(runtime, fd, std::move(on_readable))) {
  impl_->wait();
}

ReadWatch::~ReadWatch() {
  impl_->stopped = true;
  impl_->descriptor.release();  // also ends the wait
}

}  // namespace fh::net
