// The values are stored in people's files: they may never change.

#include "codec/fast_hash.h"

#include <gtest/gtest.h>

namespace fh::codec {
namespace {

TEST(FastHash, ValuesThatAreStoredStayTheSame) {
  // XXH3 128 of the empty text and of "a", as the algorithm's specification gives them.
  EXPECT_EQ(to_hex(fast_hash("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(to_hex(fast_hash("a")), "a96faf705af16834e6c632b61e964e1f");
}

TEST(FastHash, ZeroBytesAndLengthsCount) {
  EXPECT_NE(fast_hash(std::string_view("a\0", 2)), fast_hash("a"));
  EXPECT_NE(fast_hash(std::string(300, 'x')), fast_hash(std::string(301, 'x')));
}

TEST(FastHash, EveryDigitIsWrittenInItsPlace) {
  EXPECT_EQ(to_hex({0x0123456789abcdef, 0xfedcba9876543210}), "fedcba98765432100123456789abcdef");
  std::string out = "what was there";
  hex_to({0x9a0b0c0d0e0f9f0a, 0}, out);
  EXPECT_EQ(out, "00000000000000009a0b0c0d0e0f9f0a");
}

}  // namespace
}  // namespace fh::codec
