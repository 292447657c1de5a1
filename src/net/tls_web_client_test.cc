// The client for base URLs: what it takes for one, and TLS against a server on loopback whose
// authority was made a moment ago: trusted when it is named, refused when it is not, when the name
// is another's, when the certificate is out of date; answers that are cut.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "net/test_support.h"
#include "net/web_client.h"

namespace fh::net {
namespace {

constexpr std::int64_t kPatienceMs = testing::kPatienceSeconds * 1000;

template <auto Fn>
struct Freed {
  template <typename T>
  void operator()(T* dead) const {
    Fn(dead);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Freed<X509_free>>;

Key make_key() {
  return Key(EVP_EC_gen("P-256"));
}

struct CertWish {
  std::string name = "test";
  std::string san;  // "DNS:localhost,IP:127.0.0.1"
  bool authority = false;
  long from_seconds = -3600, to_seconds = 3600;
};

Cert make_cert(const CertWish& wish, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  static long serial = 1;
  Cert cert(X509_new());
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), wish.from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), wish.to_seconds);
  X509_set_pubkey(cert.get(), key);
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert.get(), issuer == nullptr ? name : X509_get_subject_name(issuer));
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer == nullptr ? cert.get() : issuer, cert.get(), nullptr, nullptr,
                 0);
  const auto extend = [&](int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    ASSERT_NE(extension, nullptr);
    X509_add_ext(cert.get(), extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.san.empty()) extend(NID_subject_alt_name, wish.san);
  X509_sign(cert.get(), issuer_key, EVP_sha256());
  return cert;
}

// Answers every connection with the same bytes behind a TLS handshake.
class TlsServer {
 public:
  TlsServer(const CertWish& wish, std::string answer, bool proper_end = true)
      : answer_(std::move(answer)), proper_end_(proper_end) {
    const Key ca_key = make_key();
    const Cert ca = make_cert({"test authority", "", true}, ca_key.get(), nullptr, ca_key.get());
    const Key key = make_key();
    const Cert cert = make_cert(wish, key.get(), ca.get(), ca_key.get());
    static std::atomic<int> count = 0;
    ca_file_ = ::testing::TempDir() + "fh-ca-" + std::to_string(::getpid()) + "-" +
               std::to_string(++count) + ".pem";
    FILE* file = ::fopen(ca_file_.c_str(), "w");
    PEM_write_X509(file, ca.get());
    ::fclose(file);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), cert.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    SSL_CTX_set_tlsext_servername_callback(context_.get(), &TlsServer::on_name);
    SSL_CTX_set_tlsext_servername_arg(context_.get(), this);
    testing::Listening listening = testing::listen_on_loopback();
    port_ = listening.port;
    fd_ = listening.fd.release();
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
    std::filesystem::remove(ca_file_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  const std::string& ca_file() const { return ca_file_; }
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& host = "localhost") const {
    return "https://" + host + ":" + std::to_string(port_);
  }
  std::string request() const { return request_; }
  std::string asked_name() const { return name_; }
  int requests() const { return requests_; }

 private:
  static int on_name(SSL* ssl, int*, void* self) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    static_cast<TlsServer*>(self)->name_ = name == nullptr ? "" : name;
    return SSL_TLSEXT_ERR_OK;
  }
  void serve() {
    while (true) {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      // The memory buffer keeps a peer that has gone from raising a signal at us.
      const timeval patience{testing::kPatienceSeconds, 0};
      ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
      answer(peer);
      ::close(peer);
    }
  }
  void answer(int peer) {
    const std::unique_ptr<SSL, Freed<SSL_free>> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), peer);
    if (SSL_accept(ssl.get()) != 1) return;
    std::string head;
    std::array<char, 4096> buffer{};
    while (head.find("\r\n\r\n") == std::string::npos) {
      const int n = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (n <= 0) return;
      head.append(buffer.data(), static_cast<std::size_t>(n));
    }
    request_ = head;
    ++requests_;
    SSL_write(ssl.get(), answer_.data(), static_cast<int>(answer_.size()));
    if (proper_end_) SSL_shutdown(ssl.get());
    ::shutdown(peer, SHUT_WR);
    while (::recv(peer, buffer.data(), buffer.size(), 0) > 0) {
    }
  }

  std::string answer_, ca_file_, request_, name_;
  bool proper_end_;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
  std::atomic<int> requests_ = 0;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

CertWish for_loopback() {
  CertWish wish;
  wish.san = "DNS:localhost,IP:127.0.0.1";
  return wish;
}

const std::string kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

base::Result<HttpResponse> fetch(const std::string& url, const std::string& ca_file,
                                 std::int64_t timeout_ms = kPatienceMs) {
  auto origin = parse_base_url(url);
  if (!origin) return std::unexpected(origin.error());
  auto client = WebClient::open(Dialer(), *origin, {ca_file, {}});
  if (!client) return std::unexpected(client.error());
  ClientRequest request;
  request.target = "/v1/x?a=b";
  request.headers = {{"x-api-key", "k"}};
  return client->request(std::move(request), timeout_ms);
}

TEST(WebClientTls, TrustsANamedAuthority) {
  const TlsServer server(for_loopback(), kHello);
  const auto by_name = fetch(server.url() + "/prefix/", server.ca_file());
  ASSERT_TRUE(by_name.has_value()) << by_name.error().text();
  EXPECT_EQ(by_name->status, 200);
  EXPECT_EQ(by_name->body, "hello");
  EXPECT_EQ(server.asked_name(), "localhost");
  EXPECT_TRUE(server.request().starts_with("GET /prefix/v1/x?a=b HTTP/1.1\r\n"));
  EXPECT_NE(server.request().find("x-api-key: k\r\n"), std::string::npos);
  EXPECT_NE(server.request().find("connection: close\r\n"), std::string::npos);
  const auto by_address = fetch(server.url("127.0.0.1"), server.ca_file());
  ASSERT_TRUE(by_address.has_value()) << by_address.error().text();
  EXPECT_EQ(server.asked_name(), "");  // an address is no server name
}

TEST(WebClientTls, RefusesWhatItCannotTrust) {
  const auto refused = [](const TlsServer& server, const std::string& url,
                          const std::string& ca_file) {
    const auto response = fetch(url, ca_file);
    EXPECT_FALSE(response.has_value());
    EXPECT_EQ(server.requests(), 0);
    if (response) return std::string();
    EXPECT_EQ(response.error().code, base::Code::FailedPrecondition) << response.error().text();
    return response.error().message;
  };
  const TlsServer unknown(for_loopback(), kHello);
  EXPECT_NE(refused(unknown, unknown.url(), "").find("not to be trusted"), std::string::npos);
  const TlsServer other(for_loopback(), kHello);
  EXPECT_NE(refused(unknown, unknown.url(), other.ca_file()).find("not to be trusted"),
            std::string::npos);
  CertWish wish;
  wish.name = "localhost";  // a common name is no name
  wish.san = "DNS:elsewhere.example,IP:127.0.0.2";
  const TlsServer misnamed(wish, kHello);
  EXPECT_NE(refused(misnamed, misnamed.url(), misnamed.ca_file()).find("mismatch"),
            std::string::npos);
  EXPECT_NE(refused(misnamed, misnamed.url("127.0.0.1"), misnamed.ca_file()).find("mismatch"),
            std::string::npos);
  CertWish old = for_loopback();
  old.from_seconds = -7200;
  old.to_seconds = -3600;
  const TlsServer expired(old, kHello);
  EXPECT_NE(refused(expired, expired.url(), expired.ca_file()).find("expired"), std::string::npos);
  const auto nothing = fetch(expired.url(), "/no/such/file.pem");
  EXPECT_EQ(nothing.error().code, base::Code::FailedPrecondition);
}

TEST(WebClientTls, ReadsAnyFramingAndSize) {
  const std::string large(3'000'000, 'z');
  const TlsServer big(for_loopback(), "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + large);
  EXPECT_EQ(fetch(big.url(), big.ca_file())->body, large);
  const TlsServer chunked(for_loopback(),
                          "HTTP/1.1 503 No\r\nRetry-After: 3\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  const auto answer = fetch(chunked.url(), chunked.ca_file());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "hi");
  const TlsServer until_close(for_loopback(), "HTTP/1.1 200 OK\r\n\r\nto the end");
  EXPECT_EQ(fetch(until_close.url(), until_close.ca_file())->body, "to the end");
}

TEST(WebClientTls, ACutAnswerIsNone) {
  const TlsServer short_body(for_loopback(), "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
  EXPECT_EQ(fetch(short_body.url(), short_body.ca_file()).error().code, base::Code::Unavailable);
  // Without the peer's word that it is the end, anybody could have cut it.
  const TlsServer no_end(for_loopback(), "HTTP/1.1 200 OK\r\n\r\nto the", false);
  EXPECT_EQ(fetch(no_end.url(), no_end.ca_file()).error().code, base::Code::Unavailable);
  const testing::Listening silent = testing::listen_on_loopback();
  const std::string url = "https://localhost:" + std::to_string(silent.port);
  EXPECT_EQ(fetch(url, "", 50).error().code, base::Code::DeadlineExceeded);
}

TEST(WebClientTls, SpeaksTlsOnlyToThoseWhoDo) {
  testing::TestServer plain(ServerOptions{});
  const auto answer = fetch("https://127.0.0.1:" + std::to_string(plain.port()), "");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, base::Code::Unavailable) << answer.error().text();
}

TEST(WebClient, SpeaksPlainHttpToThisMachine) {
  testing::TestServer server(ServerOptions{});
  const auto answer = fetch("http://127.0.0.1:" + std::to_string(server.port()) + "/p", "");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "GET /p/v1/x?a=b ");
}

TEST(WebClient, KnowsABaseUrl) {
  const auto good = parse_base_url("https://api.example.com");
  ASSERT_TRUE(good.has_value());
  EXPECT_TRUE(good->tls);
  EXPECT_EQ(good->server.host, "api.example.com");
  EXPECT_EQ(good->server.port, 443);
  EXPECT_EQ(good->text(), "https://api.example.com");
  EXPECT_EQ(parse_base_url("https://api.example.com:8443/a/b//")->text(),
            "https://api.example.com:8443/a/b");
  EXPECT_EQ(parse_base_url("http://[::1]:80")->text(), "http://[::1]");
  EXPECT_EQ(parse_base_url("http://localhost:8080/")->server.port, 8080);
  for (const std::string bad :
       {"", "api.example.com", "ftp://api.example.com", "http://api.example.com", "https://",
        "https://:443", "https://user:secret@api.example.com", "https://api.example.com:0",
        "https://api.example.com:70000", "https://api.example.com:x", "https://a b.example",
        "https://api.example.com/?key=1", "https://api.example.com/#x", "https://[::1",
        "http://10.0.0.1", "https://api.example.com/a b", "https://api.example.com\r\nx"}) {
    const auto url = parse_base_url(bad);
    ASSERT_FALSE(url.has_value()) << bad;
    EXPECT_EQ(url.error().code, base::Code::InvalidArgument);
    EXPECT_EQ(url.error().text().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace fh::net
