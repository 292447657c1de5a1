// See tls_session_impl.h. OpenSSL works on memory buffers, so that every system call is ours: with
// a deadline, and without the signal that OpenSSL's own sockets raise when a peer has gone.

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <limits>

#include "net/address_impl.h"
#include "net/tls_session_impl.h"

namespace fh::net {
namespace {

std::string last_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "the connection was closed" : reason;
}

base::Error unusable(std::string_view what) {
  return base::Error{base::Code::FailedPrecondition, std::string(what), last_reason(), {}, {}};
}

}  // namespace

base::Result<TlsTrust> TlsTrust::load(const std::string& ca_file) {
  SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
  if (raw == nullptr) return std::unexpected(unusable("TLS cannot be used on this machine"));
  TlsTrust trust;
  trust.context_ =
      std::shared_ptr<void>(raw, [](void* p) { SSL_CTX_free(static_cast<SSL_CTX*>(p)); });
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  const bool loaded = ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(raw) == 1
                          : SSL_CTX_load_verify_locations(raw, ca_file.c_str(), nullptr) == 1;
  if (!loaded) {
    ERR_clear_error();
    return base::fail(base::Code::FailedPrecondition,
                      "the certificate authorities cannot be read" +
                          (ca_file.empty() ? std::string() : ": " + ca_file),
                      "it must be a file of certificates in PEM form");
  }
  return trust;
}

struct TlsSession::Impl {
  struct Free {
    void operator()(SSL* dead) const { SSL_free(dead); }
  };
  std::shared_ptr<void> context;
  std::unique_ptr<SSL, Free> ssl;
  BIO* from_wire = nullptr;  // owned by ssl
  BIO* to_wire = nullptr;
  std::string host;

  base::Error failed(std::string_view what) const;
};

base::Error TlsSession::Impl::failed(std::string_view what) const {
  const long verified = SSL_get_verify_result(ssl.get());
  if (verified != X509_V_OK) {
    ERR_clear_error();
    return base::Error{base::Code::FailedPrecondition,
                       "the certificate of " + host +
                           " is not to be trusted: " + X509_verify_cert_error_string(verified),
                       "if a proxy stands between, name its authority with --ca-file",
                       {},
                       {}};
  }
  return base::Error{base::Code::Unavailable,
                     std::string(what) + " " + host + " failed: " + last_reason(),
                     {},
                     {},
                     {}};
}

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;
TlsSession::TlsSession(TlsSession&&) noexcept = default;
TlsSession& TlsSession::operator=(TlsSession&&) noexcept = default;

base::Result<TlsSession> TlsSession::open(const TlsTrust& trust, const std::string& host) {
  auto impl = std::make_unique<Impl>();
  impl->context = trust.context_;
  impl->host = host;
  impl->ssl.reset(SSL_new(static_cast<SSL_CTX*>(trust.context_.get())));
  SSL* ssl = impl->ssl.get();
  impl->from_wire = BIO_new(BIO_s_mem());
  impl->to_wire = BIO_new(BIO_s_mem());
  if (ssl == nullptr || impl->from_wire == nullptr || impl->to_wire == nullptr) {
    return std::unexpected(unusable("no memory for a TLS connection"));
  }
  // An empty buffer means "not yet", never the end.
  BIO_set_mem_eof_return(impl->from_wire, -1);
  SSL_set_bio(ssl, impl->from_wire, impl->to_wire);
  SSL_set_connect_state(ssl);
  static constexpr std::array<unsigned char, 9> kHttp11 = {8,   'h', 't', 't', 'p',
                                                           '/', '1', '.', '1'};
  SSL_set_alpn_protos(ssl, kHttp11.data(), kHttp11.size());
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool named = false;
  if (const auto address = numeric_address(host, 0)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address->host().c_str()) == 1;
  } else {
    named =
        SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  if (!named) return std::unexpected(unusable("a certificate cannot be for this host name"));
  return TlsSession(std::move(impl));
}

base::Status TlsSession::take(std::string_view wire_bytes) {
  while (!wire_bytes.empty()) {
    const int size = static_cast<int>(std::min<std::size_t>(wire_bytes.size(), 1 << 20));
    const int taken = BIO_write(impl_->from_wire, wire_bytes.data(), size);
    if (taken <= 0) return std::unexpected(impl_->failed("the TLS connection to"));
    wire_bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  return {};
}

std::string TlsSession::give() {
  std::string out(BIO_ctrl_pending(impl_->to_wire), '\0');
  if (out.empty()) return out;
  const int read = BIO_read(impl_->to_wire, out.data(), static_cast<int>(out.size()));
  out.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  return out;
}

base::Result<bool> TlsSession::step() {
  ERR_clear_error();
  const int rc = SSL_do_handshake(impl_->ssl.get());
  if (rc == 1) return true;
  const int why = SSL_get_error(impl_->ssl.get(), rc);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
  return std::unexpected(impl_->failed("the TLS handshake with"));
}

base::Status TlsSession::write(std::string_view plain) {
  ERR_clear_error();
  std::size_t written = 0;
  // A memory buffer takes everything at once.
  if (!plain.empty() && SSL_write_ex(impl_->ssl.get(), plain.data(), plain.size(), &written) != 1) {
    return std::unexpected(impl_->failed("the TLS connection to"));
  }
  return {};
}

base::Result<bool> TlsSession::read(std::string& into) {
  std::array<char, 16 * 1024> buffer{};
  while (true) {
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_read_ex(impl_->ssl.get(), buffer.data(), buffer.size(), &count) == 1) {
      into.append(buffer.data(), count);
      continue;
    }
    switch (SSL_get_error(impl_->ssl.get(), 0)) {
      case SSL_ERROR_ZERO_RETURN: return true;
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return false;
      default: return std::unexpected(impl_->failed("the TLS connection to"));
    }
  }
}

}  // namespace fh::net
