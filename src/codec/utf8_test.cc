// Goal: only valid UTF-8 leaves this module, wherever the input is cut. Method: known ill-formed
// sequences with the number of replacements The Unicode Standard asks for, and every split of mixed
// text through the gate.

#include "codec/utf8.h"

#include <gtest/gtest.h>

#include <random>

namespace fh::codec {
namespace {

TEST(Utf8, Validity) {
  for (const std::string_view good :
       {"", "abc", "é", "€", "😀", "\U0010FFFF", "\uD7FF", "\uE000"}) {
    EXPECT_TRUE(utf8::valid(good)) << good;
    EXPECT_EQ(utf8::valid_prefix_bytes(good), good.size());
  }
  for (const std::string_view bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5", "\xFF", "\xC3"}) {
    EXPECT_FALSE(utf8::valid(bad));
    EXPECT_EQ(utf8::valid_prefix_bytes(std::string("ab€") + std::string(bad)), 5U);
  }
}

TEST(Utf8, RepairReplacesMaximalSubparts) {
  // The example of The Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal Subparts".
  EXPECT_EQ(utf8::repaired("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFD"
            "b\uFFFD"
            "c\uFFFD\uFFFD"
            "d");
  EXPECT_EQ(utf8::repaired("\xC0\xAF"), "\uFFFD\uFFFD");
  EXPECT_EQ(utf8::repaired("\xE2\x82"), "\uFFFD");
  EXPECT_EQ(utf8::repaired("ok €"), "ok €");
}

TEST(Utf8, CodePoints) {
  std::string out;
  for (const std::uint32_t c : {0x41U, 0xE9U, 0x20ACU, 0x1F600U, 0xD800U, 0xDFFFU, 0x110000U}) {
    utf8::append_code_point(out, c);
  }
  EXPECT_EQ(out, "Aé€😀\uFFFD\uFFFD\uFFFD");
}

TEST(Utf8, Truncation) {
  EXPECT_EQ(utf8::truncated("aé€", 10), "aé€");
  EXPECT_EQ(utf8::truncated("aé€", 5), "aé");
  EXPECT_EQ(utf8::truncated("aé€", 2), "a");
  EXPECT_EQ(utf8::truncated("€", 2), "");
}

TEST(Utf8Gate, EverySplitGivesTheSameText) {
  const std::string text = "aé€😀\xF0\x9F\x98z\xE2\xFF\x80\xC3";
  const std::string expected = utf8::repaired(text);
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      Utf8Gate gate;
      std::string out;
      for (const std::string& part : {text.substr(0, i), text.substr(i, j - i), text.substr(j)}) {
        const std::string released = gate.push(part);
        EXPECT_TRUE(utf8::valid(released));
        EXPECT_LE(gate.waiting_bytes(), 3U);
        out += released;
      }
      out += gate.finish();
      EXPECT_EQ(out, expected) << i << "," << j;
    }
  }
}

TEST(Utf8Gate, RandomBytesInRandomPieces) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    static constexpr std::string_view kAlphabet =
        "a\x80\xBF\xC3\xE2\x82\xAC\xF0\x9F\x98\xED\xA0\xFF\xF4";
    for (std::size_t n = random() % 24; n > 0; --n) {
      bytes.push_back(kAlphabet[random() % kAlphabet.size()]);
    }
    Utf8Gate gate;
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = 1 + random() % 4;
      out += gate.push(std::string_view(bytes).substr(at, n));
      at += n;
    }
    out += gate.finish();
    EXPECT_EQ(out, utf8::repaired(bytes));
  }
}

TEST(Utf8Gate, WholeCodePointsAreNotHeldBack) {
  Utf8Gate gate;
  EXPECT_EQ(gate.push("é"), "é");
  EXPECT_EQ(gate.push("\xE2\x82"), "");
  EXPECT_EQ(gate.push("\xAC!"), "€!");
  EXPECT_EQ(gate.finish(), "");
}

}  // namespace
}  // namespace fh::codec
