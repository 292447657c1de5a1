// Goal: the doors to OpenSSL give the published answers. Method: test vectors of FIPS 180-4
// examples, RFC 4231 and RFC 5869, and properties of streaming and of files.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "crypto/hmac.h"
#include "crypto/sha256.h"

namespace fh::crypto {
namespace {

std::string repeated(char byte, std::size_t count) {
  return std::string(count, byte);
}

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(repeated('a', 1'000'000))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, StreamingEqualsOneShotAndStartsAnew) {
  const std::string text =
      "The quick brown fox jumps over the lazy dog, again and again and again.";
  Sha256 hash;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    hash.update(std::string_view(text).substr(0, cut));
    hash.update(std::string_view(text).substr(cut));
    EXPECT_EQ(hash.finish(), sha256(text));
  }
  Sha256 moved = std::move(hash);
  EXPECT_EQ(moved.finish(), sha256(""));
}

TEST(Sha256, HexRoundTrip) {
  const Sha256Digest digest = sha256("x");
  EXPECT_EQ(digest_from_hex(to_hex(digest)), digest);
  EXPECT_FALSE(digest_from_hex("").has_value());
  EXPECT_FALSE(digest_from_hex(repeated('a', 63)).has_value());
  EXPECT_FALSE(digest_from_hex(repeated('g', 64)).has_value());
  EXPECT_TRUE(digest_from_hex(repeated('A', 64)).has_value());
}

class Sha256File : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "fh-sha256-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& content) {
    const std::string path = folder_ + "/file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string folder_;
};

TEST_F(Sha256File, EqualsTheHashOfItsBytes) {
  for (const std::size_t size : {0UL, 1UL, 1048576UL, 2500000UL}) {
    const std::string content = repeated('z', size);
    std::uint64_t last = 0;
    std::uint64_t total = size;
    const auto digest = sha256_file(write(content), [&](std::uint64_t done, std::uint64_t of) {
      EXPECT_GT(done, last);
      last = done;
      total = of;
      return true;
    });
    ASSERT_TRUE(digest.has_value());
    EXPECT_EQ(*digest, sha256(content));
    EXPECT_EQ(last, size);
    EXPECT_EQ(total, size);
  }
}

TEST_F(Sha256File, ProgressStopsIt) {
  const auto digest = sha256_file(write("content"), [](auto, auto) { return false; });
  ASSERT_FALSE(digest.has_value());
  EXPECT_EQ(digest.error().code, base::Code::Cancelled);
}

TEST_F(Sha256File, ErrorsNameTheFile) {
  const auto missing = sha256_file(folder_ + "/missing");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("/missing"), std::string::npos);
  const auto folder = sha256_file(folder_);
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, base::Code::FailedPrecondition);
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_FALSE(sha256_file(folder_ + "/pipe").has_value());
}

TEST(HmacSha256, Rfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(repeated('\x0b', 20), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(repeated('\xaa', 20), repeated('\xdd', 50))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(to_hex(hmac_sha256(repeated('\xaa', 131),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, EmptyKeyAndMessage) {
  EXPECT_EQ(to_hex(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  hmac_sha256("another key", "x");
  EXPECT_EQ(hmac_sha256("", ""), hmac_sha256({}, {}));
}

TEST(HmacSha256, ManyThreads) {
  const Sha256Digest expected = hmac_sha256("key", "message");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        hmac_sha256("other", std::to_string(i));
        ASSERT_EQ(hmac_sha256("key", "message"), expected);
      }
    });
  }
}

std::string hex_of(const base::Secret& secret) {
  std::string out;
  for (const char c : secret.reveal()) {
    const auto byte = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

TEST(HkdfSha256, Rfc5869) {
  const base::Secret secret(repeated('\x0b', 22));
  const std::string salt("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 13);
  const std::string info("\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", 10);
  EXPECT_EQ(hex_of(hkdf_sha256(secret, salt, info, 42).value()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hex_of(hkdf_sha256(secret, "", "", 42).value()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfSha256, Limits) {
  const base::Secret secret("key");
  EXPECT_FALSE(hkdf_sha256(secret, "", "x", 0).has_value());
  EXPECT_FALSE(hkdf_sha256(secret, "", "x", 8161).has_value());
  EXPECT_EQ(hkdf_sha256(secret, "", "x", 8160).value().reveal().size(), 8160U);
  EXPECT_NE(hkdf_sha256(secret, "", "x", 32).value().reveal(),
            hkdf_sha256(secret, "", "y", 32).value().reveal());
}

TEST(ConstantTimeEqual, Compares) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
  EXPECT_TRUE(constant_time_equal(sha256("a"), sha256("a")));
  EXPECT_FALSE(constant_time_equal(sha256("a"), sha256("b")));
}

}  // namespace
}  // namespace fh::crypto
