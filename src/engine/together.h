#pragma once
// Events that come together. An engine keeps a Together while it hands out what one step made, for
// however many requests. A receiver to whom each event by itself would cost something, a system
// call and the waking of another process, may put that off to the end of it.
//
// Threads: a Together belongs to the thread that made it and says nothing about others.

#include <functional>

namespace fh::engine {

class Together {
 public:
  Together();
  ~Together();  // the outermost runs what was put off, in the order in which it was
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;

  // Whether the calling thread is inside one.
  static bool open();
  // Puts `action` off to the end, once for each `who`; needs open(). It must not throw. What it
  // delivers itself goes out at once.
  static void at_end(const void* who, std::function<void()> action);
};

}  // namespace fh::engine
