#pragma once
// Backlog: the bytes of events that an engine has given out and that whoever answers the clients
// has not passed on yet. The consumer counts, whoever reads from a worker stops while there is too
// much: a client that reads slowly, or a worker that says more than anybody asked for, must not
// fill the gateway's memory. Any thread.

#include <atomic>
#include <cstddef>

#include "domain/event.h"

namespace fh::engine {

class Backlog {
 public:
  void add(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> bytes_ = 0;
};

// What an event takes in memory, nearly.
std::size_t held_bytes(const domain::Event& event);

}  // namespace fh::engine
