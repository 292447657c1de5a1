#pragma once
// What every writer of answers offers to the code that drives it. Two kinds per surface:
//   StreamWriter  appends server-sent events to a string as the answer grows. Whatever is called
//                 in whatever order, the bytes are a legal stream of the surface. After `ended()`
//                 it writes nothing more: close.
//   BodyWriter    takes the events, gives the whole JSON body at the end.
// One answer, one thread. No I/O: the caller owns the buffer and sends it.

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "domain/event.h"

namespace fh::dialects {

class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // The opening event, with the numbers known so far. Once; any later call writes nothing. Done by
  // the first event if it was not done before.
  virtual void start(std::string& out) = 0;
  virtual void on_event(const domain::Event& event, std::string& out) = 0;
  // Ends the stream with the surface's error event.
  virtual void on_error(const base::Error& error, std::string& out) = 0;
  // Bytes that tell client and proxies that the connection lives; legal at any time before the end.
  virtual void keep_alive(std::string& out) = 0;
  // An empty delta, for clients whose patience counts real events only (about once a minute of
  // silence).
  virtual void stall_beat(std::string& out) = 0;
  virtual bool ended() const = 0;
  // Events that broke the promised order and were mended.
  virtual std::uint32_t anomalies() const = 0;
};

class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual void on_event(const domain::Event& event) = 0;
  virtual bool ended() const = 0;
  // Set when the answer failed: the reply is then an error with its own status.
  virtual const std::optional<base::Error>& failure() const = 0;
  // The reply's body. Call once, after the end and without failure.
  virtual std::string body() = 0;
  virtual std::uint32_t anomalies() const = 0;
};

}  // namespace fh::dialects
