// SHA-256 by OpenSSL's EVP interface, which picks the processor's SHA instructions.

#include "crypto/sha256.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/check.h"

namespace fh::crypto {
namespace {

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Fetched once: an implicit fetch costs more than hashing a short text.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  FH_CHECK(fetched != nullptr);
  return fetched;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(const Sha256Digest& digest) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(digest.size() * 2);
  for (const std::uint8_t byte : digest) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

base::Result<Sha256Digest> digest_from_hex(std::string_view text) {
  Sha256Digest digest{};
  bool good = text.size() == digest.size() * 2;
  for (std::size_t i = 0; good && i < digest.size(); ++i) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!good) {
    return base::fail(base::Code::InvalidArgument, "a SHA-256 digest is 64 hexadecimal digits");
  }
  return digest;
}

struct Sha256::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* dead) const { EVP_MD_CTX_free(dead); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
  void start() { FH_CHECK(EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  FH_CHECK(impl_->context != nullptr);
  impl_->start();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  FH_CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
}

void Sha256::update(std::span<const std::uint8_t> bytes) {
  update(as_text(bytes));
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  unsigned size = 0;
  FH_CHECK(EVP_DigestFinal_ex(impl_->context.get(), digest.data(), &size) == 1);
  FH_CHECK(size == digest.size());
  impl_->start();
  return digest;
}

Sha256Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Sha256Digest sha256(std::span<const std::uint8_t> bytes) {
  return sha256(as_text(bytes));
}

base::Result<Sha256Digest> sha256_file(const std::string& path, const HashProgress& progress) {
  // Non-blocking, so that a FIFO in place of the file cannot hold us up at the opening.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return std::unexpected(base::error_from_errno("cannot open " + path, errno));
  }
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) {
    return std::unexpected(base::error_from_errno("cannot read " + path, errno));
  }
  if (!S_ISREG(facts.st_mode)) {
    return base::fail(base::Code::FailedPrecondition, path + " is not a regular file");
  }
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const auto total = static_cast<std::uint64_t>(facts.st_size);
  Sha256 hash;
  std::vector<std::uint8_t> piece(1024 * 1024);
  std::uint64_t done = 0;
  while (true) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(base::error_from_errno("cannot read " + path, errno));
    if (got == 0) return hash.finish();
    hash.update(std::span(piece).first(static_cast<std::size_t>(got)));
    done += static_cast<std::uint64_t>(got);
    if (progress && !progress(done, total)) {
      return base::fail(base::Code::Cancelled, "hashing of " + path + " was stopped");
    }
  }
}

}  // namespace fh::crypto
