#pragma once
// Numbers between bounds as GBNF. The texts may miss numbers of the range (integers of more than 15
// digits, fractions of more than 6, those between a fractional bound and the next integer), never
// leave it.

#include <cmath>
#include <limits>
#include <string>

namespace fh::engine::llama {

struct NumberBounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  // low itself excluded
  bool high_open = false;

  bool bounded() const { return std::isfinite(low) || std::isfinite(high); }
  void raise_low(double bound, bool open);
  void drop_high(double bound, bool open);
};

// GBNF expressions; empty when no text fits.
std::string bounded_integer(const NumberBounds& bounds);
std::string bounded_number(const NumberBounds& bounds);

}  // namespace fh::engine::llama
