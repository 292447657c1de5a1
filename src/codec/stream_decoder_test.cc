// Goal: a decoder in pieces gives the same bytes as were compressed however its input is cut, sees
// damage and missing ends, stops when told, and zstd's refuses windows that need too much memory.
// Method: texts made with the formats' own libraries, in pieces of every size.

#include "codec/stream_decoder.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>

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

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i * 7919) + "\n";
  return text;
}

struct Form {
  const char* name;
  std::string (*encode)(std::string_view text);
  std::unique_ptr<StreamDecoder> (*decoder)();
};

base::Result<std::string> decode(const Form& form, std::string_view data, std::size_t piece) {
  const auto decoder = form.decoder();
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += piece) {
    const std::string copy(data.substr(at, piece));
    FH_TRY_VOID(decoder->push(copy, [&](std::string_view bytes) {
      out += bytes;
      return true;
    }));
  }
  FH_TRY_VOID(decoder->finish());
  return out;
}

constexpr Form kForms[] = {{"gzip", gzip, gzip_decoder}, {"zstd", zstd, zstd_decoder}};

class Decoder : public ::testing::TestWithParam<Form> {};
INSTANTIATE_TEST_SUITE_P(All, Decoder, ::testing::ValuesIn(kForms),
                         [](const auto& form) { return std::string(form.param.name); });

TEST_P(Decoder, AnyCutGivesTheSameText) {
  const std::string text = numbers(20'000);
  const Form& form = GetParam();
  const std::string data = form.encode(text) + form.encode("a second part") + form.encode("");
  for (const std::size_t piece : {1, 2, 3, 7, 100, 4096, 1 << 20}) {
    const auto out = decode(form, data, piece);
    ASSERT_TRUE(out.has_value()) << piece;
    EXPECT_EQ(*out, text + "a second part") << piece;
  }
}

TEST_P(Decoder, LongRunsFillManySteps) {
  const std::string text(3'000'000, 'x');
  const auto out = decode(GetParam(), GetParam().encode(text), 64);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(*out, text);
}

TEST_P(Decoder, TextsThatFillTheirLastStepAreWhole) {
  const Form& form = GetParam();
  for (const std::size_t size : {131'072, 262'144}) {
    const std::string text(size, 'x');
    const std::string data = form.encode(text);
    for (const std::size_t piece : {std::size_t{1}, data.size(), std::size_t{1} << 20}) {
      const auto one = decode(form, data, piece);
      ASSERT_TRUE(one.has_value()) << size << " in pieces of " << piece;
      EXPECT_EQ(*one, text);
      const auto two = decode(form, data + data, piece);
      ASSERT_TRUE(two.has_value()) << "twice " << size << " in pieces of " << piece;
      EXPECT_EQ(*two, text + text);
    }
  }
}

TEST_P(Decoder, SeesDamageAndMissingEnds) {
  const Form& form = GetParam();
  const std::string data = form.encode(numbers(5000));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{9}, data.size() / 2, data.size() - 1}) {
    EXPECT_FALSE(decode(form, data.substr(0, cut), 50).has_value()) << cut;
  }
  EXPECT_FALSE(decode(form, data + "trailing text", 50).has_value());
  EXPECT_FALSE(decode(form, "nothing of the kind, surely", 50).has_value());
  EXPECT_TRUE(decode(form, "", 1).has_value());
}

TEST_P(Decoder, StopsWhenTold) {
  const auto decoder = GetParam().decoder();
  int calls = 0;
  const auto status =
      decoder->push(GetParam().encode(std::string(2'000'000, 'y')), [&](std::string_view) {
        ++calls;
        return false;
      });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::Cancelled);
  EXPECT_EQ(calls, 1);
}

TEST_P(Decoder, IsFoundByTheFirstBytes) {
  const std::string data = GetParam().encode("a text");
  const auto decoder = decoder_for(data);
  ASSERT_NE(decoder, nullptr);
  std::string out;
  EXPECT_TRUE(decoder->push(data, [&](std::string_view bytes) {
    out += bytes;
    return true;
  }));
  EXPECT_TRUE(decoder->finish().has_value());
  EXPECT_EQ(out, "a text");
  for (const std::string_view plain : {"", "{", "\x1F", "(\xB5/"}) {
    EXPECT_EQ(decoder_for(plain), nullptr) << plain;
  }
}

TEST(GzipDecoder, SeesAFlippedByte) {  // by its checksum; zstd's is an option
  std::string data = gzip(numbers(1000));
  data[data.size() / 2] = static_cast<char>(data[data.size() / 2] ^ 0x55);
  EXPECT_FALSE(decode(kForms[0], data, 50).has_value());
}

TEST(ZstdDecoder, AWindowThatNeedsTooMuchMemoryIsRefused) {
  // A frame's head: magic, no content size, a window of 2^31 bytes; then an empty last block.
  const std::string head("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00", 9);
  EXPECT_FALSE(decode(kForms[1], head, 9).has_value());
  const std::string small("\x28\xB5\x2F\xFD\x00\x58\x01\x00\x00", 9);  // 2 MiB
  EXPECT_TRUE(decode(kForms[1], small, 9).has_value());
}

}  // namespace
}  // namespace fh::codec
