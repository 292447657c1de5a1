// Every row of the head policy through a real socket: what a client may send, what it is answered,
// and that the connection ends with it. The rows that llhttp refuses by itself today are here too,
// so that a new llhttp shows.

#include "net/head_policy.h"

#include <gtest/gtest.h>

#include "net/message_parser_impl.h"
#include "net/test_support.h"

namespace fh::net {
namespace {

using testing::RawClient;
using testing::status_of;
using testing::TestServer;

struct Row {
  const char* name;
  std::string bytes;
  int status;
};

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields, const std::string& body) {
  return "POST /body HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string many_fields(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "a:b\r\n";
  return out;
}

std::vector<Row> refused_framing() {
  const std::string te = "Transfer-Encoding: ";
  const std::string cl = "Content-Length: ";
  const std::string five = "hello";
  const std::string chunks = "5\r\nhello\r\n0\r\n\r\n";
  return {
      {"gzip_then_length", post(te + "gzip\r\n" + cl + "5\r\n", five), 400},
      {"xchunked_then_length", post(te + "xchunked\r\n" + cl + "5\r\n", five), 400},
      {"length_then_gzip", post(cl + "5\r\n" + te + "gzip\r\n", five), 400},
      {"chunked_then_length", post(te + "chunked\r\n" + cl + "5\r\n", chunks), 400},
      {"length_then_chunked", post(cl + "5\r\n" + te + "chunked\r\n", chunks), 400},
      {"gzip_alone", post(te + "gzip\r\n", five), 501},
      {"xchunked_alone", post(te + "xchunked\r\n", chunks), 501},
      {"chunked_gzip", post(te + "chunked, gzip\r\n", chunks), 501},
      {"gzip_chunked", post(te + "gzip, chunked\r\n", chunks), 501},
      {"chunked_parameter", post(te + "chunked;q=1\r\n", chunks), 501},
      {"chunked_chunked", post(te + "chunked, chunked\r\n", chunks), 400},
      {"empty_transfer_encoding", post(te + "\r\n", chunks), 400},
      {"two_transfer_encodings", post(te + "chunked\r\n" + te + "chunked\r\n", chunks), 400},
      {"transfer_encoding_1_0",
       "POST /body HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400},
      {"length_list", post(cl + "5, 5\r\n", five), 400},
      {"length_twice", post(cl + "5\r\n" + cl + "5\r\n", five), 400},
      {"length_twice_differing", post(cl + "5\r\n" + cl + "6\r\n", five), 400},
      {"length_plus", post(cl + "+5\r\n", five), 400},
      {"length_hex", post(cl + "0x5\r\n", five), 400},
      {"length_negative", post(cl + "-1\r\n", five), 400},
      {"length_too_big", post(cl + "18446744073709551616\r\n", five), 400},
      {"length_empty", post(cl + "\r\n", five), 400},
      {"body_on_get", get("Content-Length: 5\r\n") + five, 400},
      {"chunked_body_on_get", get("Transfer-Encoding: chunked\r\n") + chunks, 400},
      {"chunk_size_hex_prefix", post(te + "chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_size_space", post(te + "chunked\r\n", "5 \r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk_size_overflow", post(te + "chunked\r\n", "10000000000000005\r\nhello\r\n"), 400},
      {"chunk_size_bare_lf", post(te + "chunked\r\n", "5\n"), 400},
      {"chunk_data_bare_lf", post(te + "chunked\r\n", "5\r\nhello\n0\r\n\r\n"), 400},
      {"chunk_data_too_long", post(te + "chunked\r\n", "5\r\nhelloworld\r\n0\r\n\r\n"), 400},
      {"chunk_extension_200kB",
       post(te + "chunked\r\n", "5;a=" + std::string(200'000, 'x') + "\r\nhello\r\n0\r\n\r\n"),
       400},
      {"chunk_size_zeros",
       post(te + "chunked\r\n", std::string(200'000, '0') + "5\r\nhello\r\n0\r\n\r\n"), 400},
      {"length_as_trailer",
       post(te + "chunked\r\n", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"), 400},
      {"endless_trailers", post(te + "chunked\r\n", "0\r\n" + many_fields(10'000) + "\r\n"), 431},
  };
}

std::vector<Row> refused_heads() {
  return {
      {"obs_fold", get("X-A: b\r\n c\r\n"), 400},
      {"obs_fold_transfer_encoding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400},
      {"leading_space_on_first_field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two_hosts", get("Host: b\r\n"), 400},
      {"two_equal_hosts", get("Host: a\r\n"), 400},
      {"empty_host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"host_with_slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"host_with_space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"host_with_user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"absolute_form_other_host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute_form_other_port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute_form_user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute_form_scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"fields_1500", get(many_fields(1'500)), 431},
      {"head_too_large", get("X-A: " + std::string(40'000, 'x') + "\r\n"), 431},
      {"target_too_long", "GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"target_high_byte", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_tab", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_relative", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_star", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_bad_escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_cut_escape", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_escaped_nul", "GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_escaped_newline", "GET /a%0ab HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target_escaped_not_utf8", "GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"method_lower_case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"method_unknown", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"method_connect", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501},
      {"method_source_ice", "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400},
      {"method_rtsp", "OPTIONS * RTSP/1.0\r\nHost: a\r\n\r\n", 400},
      {"tls_hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8), 400},
      {"http_0_9", "GET /\r\n", 400},
      {"http_0_9_text", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 400},
      {"http_1_2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"http_2_0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"version_garbage", "GET / HTTP/x.1\r\nHost: a\r\n\r\n", 400},
      {"leading_crlf", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"leading_lf", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two_spaces_after_method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two_spaces_after_target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space_after_version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"bare_lf_request_line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare_lf_field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"bare_lf_end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"bare_cr_in_value", get("X-A: b\rc\r\n"), 400},
      {"nul_in_value", get(std::string("X-A: b\0c\r\n", 10)), 400},
      {"control_in_value",
       get("X-A: b\x01"
           "c\r\n"),
       400},
      {"delete_in_value",
       get("X-A: b\x7f"
           "c\r\n"),
       400},
      {"space_before_colon", get("X-A : b\r\n"), 400},
      {"empty_field_name", get(": b\r\n"), 400},
      {"field_without_colon", get("X-A\r\n"), 400},
      {"expect_unknown", post("Expect: tea\r\nContent-Length: 5\r\n", "hello"), 417},
  };
}

class HeadRefusal : public ::testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<TestServer>(ServerOptions{}); }
  static void TearDownTestSuite() { server_.reset(); }
  static std::unique_ptr<TestServer> server_;
};
std::unique_ptr<TestServer> HeadRefusal::server_;

TEST_P(HeadRefusal, AnsweredAndClosed) {
  RawClient client(server_->port());
  // A request behind the bad one must never be served.
  client.send(GetParam().bytes + "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string response = client.read_to_end();
  EXPECT_FALSE(client.timed_out());
  EXPECT_EQ(status_of(response), GetParam().status) << response;
  EXPECT_NE(response.find("connection: close\r\n"), std::string::npos) << response;
  EXPECT_EQ(response.find("HTTP/1.1 200"), std::string::npos)
      << "more than one answer: " << response;
}

// The same bytes one at a time, without a socket: a refusal may not depend on how they were cut.
TEST_P(HeadRefusal, AnsweredWhenBytesTrickle) {
  MessageParser parser(MessageParser::Kind::Request, {});
  std::string body;
  bool refused = false;
  for (const char& byte : GetParam().bytes) {
    const std::string_view one(&byte, 1);
    if (parser.head_complete()) {
      parser.feed_chunked(one, body, 1024);
    } else {
      parser.feed_head(one);
      if (parser.head_complete()) {
        const auto facts = check_head(parser.head());
        if (!facts || (facts->body != BodyKind::None && facts->path == "/")) refused = true;
      }
    }
    refused = refused || parser.refused();
    if (refused) break;
  }
  EXPECT_TRUE(refused);
}

std::string row_name(const ::testing::TestParamInfo<Row>& row) {
  return row.param.name;
}
INSTANTIATE_TEST_SUITE_P(Framing, HeadRefusal, ::testing::ValuesIn(refused_framing()), row_name);
INSTANTIATE_TEST_SUITE_P(Heads, HeadRefusal, ::testing::ValuesIn(refused_heads()), row_name);

class HeadAcceptance : public ::testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<TestServer>(ServerOptions{}); }
  static void TearDownTestSuite() { server_.reset(); }
  static std::unique_ptr<TestServer> server_;
};
std::unique_ptr<TestServer> HeadAcceptance::server_;

TEST_P(HeadAcceptance, ServedAndTheNextRequestToo) {
  RawClient client(server_->port());
  client.send(GetParam().bytes);
  EXPECT_EQ(status_of(client.read_response()), GetParam().status);
  client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client.read_response().find("GET /next"), std::string::npos);
}

std::vector<Row> accepted_heads() {
  return {
      {"plain", get(""), 200},
      {"host_with_port", "GET / HTTP/1.1\r\nHost: a.b:8080\r\n\r\n", 200},
      {"host_v6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200},
      {"absolute_form", "GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"options_star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"upgrade_h2c_ignored",
       get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"), 200},
      {"upgrade_with_chunked_body",
       post("Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n"),
       200},
      {"length_zero_on_get", get("Content-Length: 0\r\n"), 200},
      {"length_with_zeros", post("Content-Length: 005\r\n", "hello"), 200},
      {"chunked", post("Transfer-Encoding: Chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), 200},
      {"chunked_extension_and_trailer",
       post("Transfer-Encoding: chunked\r\n", "5;a=b;c=\"d\"\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
       200},
      {"value_with_tab_and_latin1", get("X-A: b\tc \xe9\r\n"), 200},
      {"empty_value", get("X-A:\r\n"), 200},
      {"fields_98", get(many_fields(98)), 200},
      {"unknown_fields", get("x-stainless-lang: js\r\nanthropic-beta: a,b\r\n"), 200},
  };
}
INSTANTIATE_TEST_SUITE_P(Heads, HeadAcceptance, ::testing::ValuesIn(accepted_heads()), row_name);

// Facts and the response form, without a socket.

RawHead request_head() {
  RawHead head;
  head.method = "GET";
  head.target = "/";
  head.protocol = "HTTP";
  head.version_major = 1;
  head.version_minor = 1;
  head.fields = {{"Host", "a"}};
  return head;
}

TEST(CheckHead, SplitsAndDecodesTheTarget) {
  RawHead head = request_head();
  head.target = "/v1/models/a%2Fb%20c?x=1&y=%20";
  const auto facts = check_head(head);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->path, "/v1/models/a/b c");
  EXPECT_EQ(facts->query, "x=1&y=%20");
  head.target = "http://a?q";
  EXPECT_EQ(check_head(head)->path, "/");
  EXPECT_EQ(check_head(head)->query, "q");
}

TEST(CheckHead, KeepsAliveByVersionAndOption) {
  RawHead head = request_head();
  EXPECT_TRUE(check_head(head)->keep_alive);
  head.fields.push_back({"Connection", "foo, Close"});
  EXPECT_FALSE(check_head(head)->keep_alive);
  head.version_minor = 0;
  head.fields.back().value = "keep-alive";
  EXPECT_TRUE(check_head(head)->keep_alive);
  head.fields.pop_back();
  EXPECT_FALSE(check_head(head)->keep_alive);
  head.fields.clear();
  EXPECT_TRUE(check_head(head)) << "HTTP/1.0 needs no Host";
}

TEST(CheckHead, ExpectOnlyWithABody) {
  RawHead head = request_head();
  head.fields.push_back({"Expect", "100-Continue"});
  EXPECT_FALSE(check_head(head)->expect_continue);
  head.fields.push_back({"Content-Length", "3"});
  EXPECT_TRUE(check_head(head)->expect_continue);
}

RawHead response_head(int status, std::vector<Header> fields) {
  RawHead head;
  head.protocol = "HTTP";
  head.version_major = 1;
  head.version_minor = 1;
  head.status = status;
  head.fields = std::move(fields);
  return head;
}

TEST(CheckResponseHead, Framing) {
  const auto body = [](int status, std::vector<Header> fields, std::string_view method = "GET") {
    const auto facts = check_response_head(response_head(status, std::move(fields)), method);
    return facts ? static_cast<int>(facts->body) : -1;
  };
  const auto kind = [](BodyKind k) { return static_cast<int>(k); };
  EXPECT_EQ(body(200, {{"Content-Length", "3"}}), kind(BodyKind::Length));
  EXPECT_EQ(body(200, {{"Transfer-Encoding", "chunked"}}), kind(BodyKind::Chunked));
  EXPECT_EQ(body(200, {}), kind(BodyKind::UntilClose));
  EXPECT_EQ(body(200, {{"Content-Length", "3"}}, "HEAD"), kind(BodyKind::None));
  EXPECT_EQ(body(204, {}), kind(BodyKind::None));
  EXPECT_EQ(body(304, {{"Content-Length", "3"}}), kind(BodyKind::None));
  EXPECT_EQ(body(100, {}), kind(BodyKind::None));
  EXPECT_EQ(body(200, {{"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}}), -1);
  EXPECT_EQ(body(200, {{"Content-Length", "3"}, {"Content-Length", "3"}}), -1);
  EXPECT_EQ(body(200, {{"Transfer-Encoding", "gzip, chunked"}}), -1);
  EXPECT_EQ(body(101, {}), -1);
  EXPECT_EQ(body(600, {}), -1);
  EXPECT_EQ(body(200, {{"bad name", "x"}}), -1);
}

TEST(CheckResponseHead, CloseDelimitedIsNeverReused) {
  EXPECT_FALSE(check_response_head(response_head(200, {}), "GET")->keep_alive);
  EXPECT_TRUE(
      check_response_head(response_head(200, {{"Content-Length", "0"}}), "GET")->keep_alive);
}

TEST(StripIdentityFields, RemovesWhatOnlyAProxyMaySay) {
  std::vector<Header> fields = {{"X-Forwarded-For", "1"}, {"x-forwarded-user", "root"},
                                {"Remote-User", "root"},  {"X-Real-IP", "1"},
                                {"Forwarded", "for=1"},   {"X-Request-Id", "kept"},
                                {"Authorization", "kept"}};
  strip_identity_fields(fields);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].name, "X-Request-Id");
  EXPECT_EQ(fields[1].name, "Authorization");
}

}  // namespace
}  // namespace fh::net
