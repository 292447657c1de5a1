#pragma once
// Randomness as a seam: the system's generator in production, a seeded one in the simulation.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <string>

namespace fh::base {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;  // any thread
  std::uint64_t next_u64();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // `length` characters of [0-9A-Za-z], each uniform.
  std::string token(std::size_t length);
};

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;  // getrandom(2)
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace fh::base
