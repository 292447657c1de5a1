#pragma once
// TLS as a client, without I/O: bytes of the wire in and out, plain bytes in and out. The peer's
// certificate is always verified, up to an authority that is trusted and for the name that was
// asked for; TLS 1.2 or newer. Not for other folders.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::net {

// What is trusted, read once. Immutable afterwards; sessions keep their own reference to it.
class TlsTrust {
 public:
  // `ca_file` (PEM): the authorities; empty: the system's (OpenSSL's own file and folder, or what
  // SSL_CERT_FILE and SSL_CERT_DIR name). FailedPrecondition when they cannot be read.
  static base::Result<TlsTrust> load(const std::string& ca_file);

 private:
  friend class TlsSession;
  std::shared_ptr<void> context_;
};

class TlsSession {
 public:
  // `host`: the name or numeric address that the certificate must be for.
  static base::Result<TlsSession> open(const TlsTrust& trust, const std::string& host);
  ~TlsSession();
  TlsSession(TlsSession&&) noexcept;
  TlsSession& operator=(TlsSession&&) noexcept;

  // Bytes that came over the wire. Then step(), until it says that it is done, or read().
  base::Status take(std::string_view wire_bytes);
  // Bytes that must go over the wire now; empty when there are none.
  std::string give();

  // The handshake: true when it is done, false when it needs bytes of the peer. FailedPrecondition:
  // the certificate is not to be trusted; Unavailable: anything else that ends it.
  base::Result<bool> step();
  // After the handshake. All of it is taken; give() has the wire bytes.
  base::Status write(std::string_view plain);
  // Appends what can be read. True when the peer has said that nothing more comes: a connection
  // that ends without that was cut.
  base::Result<bool> read(std::string& into);

 private:
  struct Impl;
  explicit TlsSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::net
