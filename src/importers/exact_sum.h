#pragma once
// The sum of decimal texts to the last digit: bills are checked against the vendor's own total, and
// micro-USD per row lose what the vendor keeps (FOCUS exports carry eleven decimals and more).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fh::importers {

// One thread. Up to 36 digits before and 36 after the point, exponents included.
class ExactSum {
 public:
  // False, and nothing is added, when the text is no decimal number or has more digits.
  bool add(std::string_view decimal);
  void add(const ExactSum& other);
  // "20.52022672899": no zeros at the end, no point without decimals, "0" for nothing.
  std::string str() const;
  bool operator==(const ExactSum& other) const { return str() == other.str(); }

 private:
  static constexpr std::size_t kLimbs = 5;  // of 18 digits, the lowest first; two for the decimals
  using Magnitude = std::array<std::uint64_t, kLimbs>;
  static void accumulate(Magnitude& to, const Magnitude& what);
  Magnitude plus_{}, minus_{};  // what is added and what is taken away, apart
};

}  // namespace fh::importers
