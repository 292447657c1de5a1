// The operators that count; see memory_budget.h.
#include "base/memory_budget.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FH_OWN_OPERATORS 0
#endif
#endif
#ifndef FH_OWN_OPERATORS
#define FH_OWN_OPERATORS 1
#endif

namespace fh::base {
namespace {

constinit thread_local MemoryBudget* current = nullptr;

std::ptrdiff_t bounded(std::size_t bytes) {
  constexpr auto kMax = std::numeric_limits<std::ptrdiff_t>::max() / 2;
  return static_cast<std::ptrdiff_t>(std::min(bytes, static_cast<std::size_t>(kMax)));
}

}  // namespace

const bool MemoryBudget::kCounts = FH_OWN_OPERATORS != 0;

MemoryBudget::MemoryBudget(std::size_t bytes_max)
    : bytes_max_(bounded(bytes_max)), outer_(std::exchange(current, this)) {}

void MemoryBudget::lift() {
  if (std::exchange(lifted_, true)) return;
  current = outer_;
}

bool MemoryBudget::admits(std::size_t bytes) {
  if (bounded(bytes) <= bytes_max_ - held_) return true;
  exceeded_ = true;
  return false;
}

#if FH_OWN_OPERATORS
namespace {

void* allocated(std::size_t bytes) {
  MemoryBudget* const budget = current;
  if (budget != nullptr && !budget->admits(bytes)) throw std::bad_alloc();
  for (;;) {
    void* const memory = std::malloc(std::max<std::size_t>(bytes, 1));
    if (memory != nullptr) {
      if (budget != nullptr) budget->add(bounded(malloc_usable_size(memory)));
      return memory;
    }
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void freed(void* memory) noexcept {
  if (current != nullptr && memory != nullptr) current->add(-bounded(malloc_usable_size(memory)));
  std::free(memory);
}

}  // namespace
#endif

}  // namespace fh::base

#if FH_OWN_OPERATORS
// The forms for arrays and the ones that do not throw are made of these by the library.
void* operator new(std::size_t bytes) {
  return fh::base::allocated(bytes);
}
void operator delete(void* memory) noexcept {
  fh::base::freed(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  fh::base::freed(memory);
}
#endif
