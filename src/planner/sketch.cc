// See sketch.h. Cell i >= 8 holds values from 2^o (1 + s/8) with o = 3 + (i-8)/8, s = (i-8) mod 8.

#include "planner/sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fh::planner {

int Sketch::cell_of(std::uint64_t value) {
  if (value < 8) return static_cast<int>(value);
  const int octave = static_cast<int>(std::bit_width(value)) - 1;  // >= 3
  const int step = static_cast<int>(value >> (octave - 3)) & 7;
  return std::min(8 + (octave - 3) * kStepsPerOctave + step, kCells - 1);
}

double Sketch::low_of(int cell) {
  if (cell < 8) return cell;
  const int octave = 3 + (cell - 8) / kStepsPerOctave;
  const int step = (cell - 8) % kStepsPerOctave;
  return std::ldexp(1.0 + step / 8.0, octave);
}

void Sketch::add(std::uint64_t value, std::uint64_t times) {
  cells_[static_cast<std::size_t>(cell_of(value))] += times;
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Sketch::merge(const Sketch& other) {
  for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] += other.cells_[i];
  count_ += other.count_;
  sum_ += other.sum_;
}

double Sketch::quantile(double share) const {
  if (count_ == 0) return 0;
  const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_ - 1);
  double before = 0;
  for (int cell = 0; cell < kCells; ++cell) {
    const auto here = static_cast<double>(cells_[static_cast<std::size_t>(cell)]);
    if (here == 0 || rank >= before + here) {
      before += here;
      continue;
    }
    if (cell < 8) return cell;
    const double low = low_of(cell), high = low_of(cell + 1);
    return low + (high - low) * (rank - before + 0.5) / here;
  }
  return low_of(kCells);
}

double Sketch::share_up_to(double value) const {
  if (count_ == 0) return 0;
  double below = 0;
  for (int cell = 0; cell < kCells; ++cell) {
    const auto here = static_cast<double>(cells_[static_cast<std::size_t>(cell)]);
    const double low = low_of(cell), high = low_of(cell + 1);
    if (low > value) break;
    below += cell < 8 ? here : here * std::clamp((value - low) / (high - low), 0.0, 1.0);
  }
  return below / static_cast<double>(count_);
}

}  // namespace fh::planner
