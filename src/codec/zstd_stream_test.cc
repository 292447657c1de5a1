// Goal: the stream gives the same bytes as were compressed however its input is cut, sees damage
// and missing ends, stops when told, and refuses windows that need too much memory. Method: texts
// made with libzstd, in pieces of every size.

#include "codec/zstd_stream.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

namespace fh::codec {
namespace {

std::string zstd(std::string_view text, int level = 3) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), level));
  return out;
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i * 7919) + "\n";
  return text;
}

base::Result<std::string> decode(std::string_view data, std::size_t piece) {
  ZstdStream stream;
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += piece) {
    const std::string copy(data.substr(at, piece));
    FH_TRY_VOID(stream.push(copy, [&](std::string_view bytes) {
      out += bytes;
      return true;
    }));
  }
  FH_TRY_VOID(stream.finish());
  return out;
}

TEST(ZstdStream, AnyCutGivesTheSameText) {
  const std::string text = numbers(20'000);
  const std::string data = zstd(text) + zstd("second frame") + zstd("");
  for (const std::size_t piece : {1, 2, 3, 7, 100, 4096, 1 << 20}) {
    const auto out = decode(data, piece);
    ASSERT_TRUE(out.has_value()) << piece;
    EXPECT_EQ(*out, text + "second frame") << piece;
  }
}

TEST(ZstdStream, LongRunsFillManySteps) {
  const std::string text(3'000'000, 'x');
  const auto out = decode(zstd(text), 64);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(*out, text);
}

TEST(ZstdStream, SeesDamageAndMissingEnds) {
  const std::string data = zstd(numbers(5000));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{9}, data.size() / 2, data.size() - 1}) {
    EXPECT_FALSE(decode(data.substr(0, cut), 50).has_value()) << cut;
  }
  EXPECT_FALSE(decode(data + "trailing text", 50).has_value());
  EXPECT_FALSE(decode("no zstd at all, surely", 50).has_value());
  EXPECT_TRUE(decode("", 1).has_value());
}

TEST(ZstdStream, AWindowThatNeedsTooMuchMemoryIsRefused) {
  // A frame's head: magic, no content size, a window of 2^31 bytes; then an empty last block.
  const std::string head("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00", 9);
  EXPECT_FALSE(decode(head, 9).has_value());
  const std::string small("\x28\xB5\x2F\xFD\x00\x58\x01\x00\x00", 9);  // 2 MiB
  EXPECT_TRUE(decode(small, 9).has_value());
}

TEST(ZstdStream, StopsWhenTold) {
  ZstdStream stream;
  int calls = 0;
  const auto status = stream.push(zstd(std::string(2'000'000, 'y')), [&](std::string_view) {
    ++calls;
    return false;
  });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::Cancelled);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace fh::codec
