#pragma once
// What a piece of foreign code may allocate. While a budget is in force on a thread, what that
// thread allocates with `new` counts; where the sum of what is held would pass the limit, the
// allocation throws std::bad_alloc, as if the machine had no more. The code in question must be one
// that exceptions may leave, and whoever calls it catches them. Elsewhere nothing changes: out of
// memory ends the process.
//
// Counting works by replacing the program's operator new and delete, which costs a look at a
// variable of the thread. What is freed by another thread, or after the budget has gone, is not
// given back to it. Memory from malloc() and from the aligned forms of new does not count. Under
// sanitizers, which bring their own operators, nothing counts (kCounts).

#include <cstddef>

namespace fh::base {

class MemoryBudget {
 public:
  static const bool kCounts;

  // In force until lifted or gone, on the thread that made it. Within it an outer one rests.
  explicit MemoryBudget(std::size_t bytes_max);
  ~MemoryBudget() { lift(); }
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Before errors are reported, which takes memory too.
  void lift();
  bool exceeded() const { return exceeded_; }  // whether an allocation was refused

  // For the operators.
  bool admits(std::size_t bytes);
  void add(std::ptrdiff_t bytes) { held_ += bytes; }

 private:
  std::ptrdiff_t bytes_max_;
  std::ptrdiff_t held_ = 0;  // may fall below zero: what was there before is freed
  bool exceeded_ = false;
  bool lifted_ = false;
  MemoryBudget* outer_;
};

}  // namespace fh::base
