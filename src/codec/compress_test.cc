// Goal: compressed bodies decode exactly, and no input makes the decoder produce more than it was
// allowed. Method: streams made by the libraries' own encoders, cut, damaged and concatenated, and
// bombs.

#include "codec/compress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>

namespace fh::codec {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
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

std::string zstd(std::string_view text, bool with_size = true, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  if (window_log != 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size());
  EXPECT_EQ(ZSTD_isError(size), 0U);
  ZSTD_freeCCtx(context);
  out.resize(size);
  return out;
}

using Encoder = std::string (*)(std::string_view);
using Decoder = base::Result<std::string> (*)(std::string_view, std::size_t);
struct Codec {
  const char* name;
  Encoder encode;
  Decoder decode;
};

class Compression : public ::testing::TestWithParam<Codec> {
 protected:
  std::string encode(std::string_view text) { return GetParam().encode(text); }
  base::Result<std::string> decode(std::string_view data, std::size_t bytes_max = 1 << 20) {
    return GetParam().decode(data, bytes_max);
  }
};

std::string noise(std::size_t size) {
  std::mt19937_64 random(size);
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(random()));
  return out;
}

TEST_P(Compression, RoundTrips) {
  for (const std::size_t size : {0U, 1U, 1000U, 65535U, 65536U, 65537U, 300'000U}) {
    const std::string text = noise(size);
    EXPECT_EQ(decode(encode(text)), text) << size;
    const std::string dull(size, 'x');
    EXPECT_EQ(decode(encode(dull)), dull) << size;
  }
}

TEST_P(Compression, TheLimitIsExact) {
  const std::string data = encode(std::string(100'000, 'x'));
  EXPECT_TRUE(decode(data, 100'000).has_value());
  const auto refused = decode(data, 99'999);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Code::OutOfRange);
  EXPECT_TRUE(decode(encode(""), 0).has_value());
  EXPECT_FALSE(decode(encode("x"), 0).has_value());
}

TEST_P(Compression, Bombs) {
  const std::string bomb = encode(std::string(30'000'000, '\0'));
  ASSERT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(decode(bomb).error().code, base::Code::OutOfRange);
}

TEST_P(Compression, SeveralPartsAreOneText) {
  EXPECT_EQ(decode(encode("one ") + encode("") + encode("two")), "one two");
  const std::string part = encode(std::string(600'000, 'x'));
  EXPECT_EQ(decode(part + part).error().code, base::Code::OutOfRange);
}

TEST_P(Compression, EveryCutIsAnError) {
  const std::string data = encode("a text of some length, some length, some length");
  for (std::size_t size = 0; size < data.size(); ++size) {
    const auto cut = decode(std::string_view(data).substr(0, size));
    ASSERT_FALSE(cut.has_value()) << size;
    EXPECT_EQ(cut.error().code, base::Code::InvalidArgument);
  }
}

TEST_P(Compression, TrailingBytesAndOtherFormatsAreErrors) {
  EXPECT_FALSE(decode(encode("text") + "junk").has_value());
  EXPECT_FALSE(decode("plain text").has_value());
  EXPECT_FALSE(decode("{}").has_value());
}

TEST_P(Compression, DamageNeverExceedsTheLimit) {
  const std::string data = encode(noise(500) + std::string(5000, 'y'));
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = data;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto result = decode(damaged, 6000);
    if (result) EXPECT_LE(result->size(), 6000U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Both, Compression,
    ::testing::Values(Codec{"gzip", &gzip, &gzip_decode},
                      Codec{"zstd", [](std::string_view t) { return zstd(t); }, &zstd_decode},
                      Codec{"zstd_size_unknown", [](std::string_view t) { return zstd(t, false); },
                            &zstd_decode}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ZstdTest, ABigWindowIsRefused) {
  const std::string piece = noise(100'000);
  std::string text;
  for (int i = 0; i < 120; ++i) text += piece;
  EXPECT_FALSE(zstd_decode(zstd(text, false, 25), 64 << 20).has_value());
  EXPECT_EQ(zstd_decode(zstd(text, false, 23), 64 << 20), text);
}

}  // namespace
}  // namespace fh::codec
