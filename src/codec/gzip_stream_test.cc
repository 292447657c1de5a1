// Goal: the stream gives the same bytes as the whole decoder however its input is cut, sees damage
// and missing ends, and stops when told. Method: a text made with zlib, in pieces of every size.

#include "codec/gzip_stream.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "codec/compress.h"

namespace fh::codec {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i * 7919) + "\n";
  return text;
}

base::Result<std::string> decode(std::string_view data, std::size_t piece) {
  GzipStream stream;
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

TEST(GzipStream, AnyCutGivesTheSameText) {
  const std::string text = numbers(20'000);
  const std::string data = gzip(text) + gzip("second member") + gzip("");
  for (const std::size_t piece : {1, 2, 3, 7, 100, 4096, 1 << 20}) {
    const auto out = decode(data, piece);
    ASSERT_TRUE(out.has_value()) << piece;
    EXPECT_EQ(*out, text + "second member") << piece;
  }
}

TEST(GzipStream, LongRunsFillManySteps) {
  const std::string text(3'000'000, 'x');
  const auto out = decode(gzip(text), 64);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(*out, text);
}

TEST(GzipStream, SeesDamageAndMissingEnds) {
  const std::string data = gzip(numbers(1000));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{9}, data.size() / 2, data.size() - 1}) {
    EXPECT_FALSE(decode(data.substr(0, cut), 50).has_value()) << cut;
  }
  std::string flipped = data;
  flipped[data.size() / 2] = static_cast<char>(flipped[data.size() / 2] ^ 0x55);
  EXPECT_FALSE(decode(flipped, 50).has_value());
  EXPECT_FALSE(decode(data + "trailing text", 50).has_value());
  EXPECT_FALSE(decode("no gzip at all, surely", 50).has_value());
  EXPECT_TRUE(decode("", 1).has_value());
}

TEST(GzipStream, StopsWhenTold) {
  GzipStream stream;
  int calls = 0;
  const auto status = stream.push(gzip(std::string(2'000'000, 'y')), [&](std::string_view) {
    ++calls;
    return false;
  });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::Cancelled);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace fh::codec
