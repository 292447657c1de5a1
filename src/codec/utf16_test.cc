// Goal: UTF-16 of both byte orders becomes the same UTF-8 however it is cut, and what is no UTF-16
// becomes valid UTF-8 too. Method: texts with code points of every length, damaged ones, and random
// units.

#include "codec/utf16.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/utf8.h"

namespace fh::codec {
namespace {

std::string bytes_of(std::u16string_view units, bool big) {
  std::string out;
  for (const char16_t unit : units) {
    const char low = static_cast<char>(unit & 0xFF), high = static_cast<char>(unit >> 8);
    out += big ? high : low;
    out += big ? low : high;
  }
  return out;
}

std::string decode(std::string_view bytes, std::size_t piece) {
  auto stream = Utf16Stream::of(bytes);
  EXPECT_TRUE(stream.has_value());
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    stream->push(bytes.substr(at, piece), out);
  }
  stream->finish(out);
  return out;
}

TEST(Utf16, BothByteOrdersInAnyPieces) {
  const std::u16string text = u"\uFEFFa;\u00E9\u20AC\U0001F600\n\uFEFF";
  const std::string want = "a;\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n\xEF\xBB\xBF";
  for (const bool big : {false, true}) {
    for (const std::size_t piece : {1, 2, 3, 5, 100}) {
      EXPECT_EQ(decode(bytes_of(text, big), piece), want) << big << ' ' << piece;
    }
  }
}

TEST(Utf16, HalvesOfPairsAndOfUnits) {
  const std::u16string lone = {0xFEFF, 0xD800, u'x', 0xDC00, 0xD800};
  EXPECT_EQ(decode(bytes_of(lone, false) + "q", 3),
            "\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf16, OtherTextsAreNone) {
  EXPECT_FALSE(Utf16Stream::of("a,b\n").has_value());
  EXPECT_FALSE(Utf16Stream::of("\xEF\xBB\xBF"
                               "a")
                   .has_value());
  EXPECT_FALSE(Utf16Stream::of("").has_value());
}

TEST(Utf16, WhateverComesInIsValidText) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::u16string units = u"\uFEFF";
    for (int i = 0; i < 20; ++i) {
      units += static_cast<char16_t>(random() % 3 == 0 ? 0xD800 + random() % 0x800 : random());
    }
    ASSERT_TRUE(utf8::valid(decode(bytes_of(units, round % 2 == 0), 1 + round % 7)));
  }
}

}  // namespace
}  // namespace fh::codec
