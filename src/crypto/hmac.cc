// HMAC and HKDF by OpenSSL.

#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <utility>

#include "base/check.h"

namespace fh::crypto {
namespace {

// OpenSSL takes parameters through pointers that are not const, but only reads them.
OSSL_PARAM octets(const char* name, std::string_view value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(value.data()), value.size());
}

OSSL_PARAM digest_name() {
  static char name[] = "SHA256";
  return OSSL_PARAM_construct_utf8_string(OSSL_ALG_PARAM_DIGEST, name, 0);
}

// A context that has its digest set; each call works on a copy, which saves the look-ups.
EVP_MAC_CTX* hmac_template() {
  static EVP_MAC_CTX* const prepared = [] {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    FH_CHECK(mac != nullptr);
    EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
    FH_CHECK(context != nullptr);
    const std::array<OSSL_PARAM, 2> params = {digest_name(), OSSL_PARAM_construct_end()};
    FH_CHECK(EVP_MAC_CTX_set_params(context, params.data()) == 1);
    EVP_MAC_free(mac);  // the context holds its own reference
    return context;
  }();
  return prepared;
}

}  // namespace

Sha256Digest hmac_sha256(std::string_view key, std::string_view message) {
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_dup(hmac_template()), &EVP_MAC_CTX_free);
  FH_CHECK(context != nullptr);
  // A null key would mean "the key set before".
  static constexpr unsigned char kNoKey = 0;
  const auto* key_bytes =
      key.empty() ? &kNoKey : reinterpret_cast<const unsigned char*>(key.data());
  FH_CHECK(EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1);
  FH_CHECK(EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1);
  Sha256Digest digest{};
  std::size_t size = 0;
  FH_CHECK(EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1);
  FH_CHECK(size == digest.size());
  return digest;
}

base::Result<base::Secret> hkdf_sha256(const base::Secret& secret, std::string_view salt,
                                       std::string_view info, std::size_t size_bytes) {
  constexpr std::size_t kBytesMax = 255 * sizeof(Sha256Digest);
  if (size_bytes == 0 || size_bytes > kBytesMax) {
    return base::fail(base::Code::OutOfRange, "HKDF-SHA-256 gives 1 to 8160 bytes");
  }
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  FH_CHECK(kdf != nullptr);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf),
                                                                          &EVP_KDF_CTX_free);
  EVP_KDF_free(kdf);
  FH_CHECK(context != nullptr);
  const std::array<OSSL_PARAM, 5> params = {
      digest_name(), octets(OSSL_KDF_PARAM_KEY, secret.reveal()), octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  std::string out(size_bytes, '\0');
  FH_CHECK(EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(out.data()), out.size(),
                          params.data()) == 1);
  return base::Secret(std::move(out));
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool constant_time_equal(const Sha256Digest& a, const Sha256Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace fh::crypto
