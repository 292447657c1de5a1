// The pullers against a provider on loopback that limits, cuts, breaks and stutters: what was
// pulled stays, the cursor stands behind the last whole page, the next pull finishes, nothing
// counts twice, and the key is nowhere but in its header.

#include "importers/pull.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codec/url.h"
#include "importers/pull_anthropic.h"
#include "importers/pull_openai.h"

namespace fh::importers {
namespace {

struct Reply {
  int status = 200;
  std::string headers;  // "retry-after: 3\r\n"
  std::string body;
  std::size_t cut_at = std::string::npos;  // close after so many bytes of the body
  bool slow = false;                       // byte by byte
};

// One request, one answer, one connection.
class PageServer {
 public:
  struct Request {
    std::string path, head;
    codec::url::Query query;
    std::string at(std::string_view key) const {
      return std::string(codec::url::query_value(query, key).value_or(""));
    }
  };
  using Handler = std::function<Reply(const Request&)>;

  explicit PageServer(Handler handler) : handler_(std::move(handler)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, raw, size), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    EXPECT_EQ(::getsockname(fd_, raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~PageServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      answer(peer);
      ::close(peer);
    }
  }
  void answer(int peer) {
    std::string head;
    std::array<char, 4096> buffer{};
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = ::recv(peer, buffer.data(), buffer.size(), 0);
      if (n <= 0) return;
      head.append(buffer.data(), static_cast<std::size_t>(n));
    }
    const std::string target = head.substr(4, head.find(' ', 4) - 4);
    const std::size_t mark = target.find('?');
    Request request{target.substr(0, mark), head, {}};
    if (mark != std::string::npos) {
      request.query = codec::url::parse_query(target.substr(mark + 1)).value();
    }
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
    }
    const Reply reply = handler_(request);
    send(peer, "HTTP/1.1 " + std::to_string(reply.status) + " X\r\n" + reply.headers +
                   "content-length: " + std::to_string(reply.body.size()) + "\r\n\r\n");
    const std::string body = reply.body.substr(0, reply.cut_at);
    for (std::size_t at = 0; reply.slow && at < body.size(); ++at) send(peer, body.substr(at, 1));
    if (!reply.slow) send(peer, body);
    ::shutdown(peer, SHUT_WR);
    while (::recv(peer, buffer.data(), buffer.size(), 0) > 0) {
    }
  }
  static void send(int peer, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  Handler handler_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> seen_;
  std::thread thread_;
};

// Keeps the larger reading, as the archive does.
class MemoryPullStore final : public PullStore {
 public:
  base::Result<std::string> cursor(const std::string& name) override {
    const auto it = cursors.find(name);
    return it == cursors.end() ? std::string() : it->second;
  }
  base::Status set_cursor(const std::string& name, const std::string& value) override {
    cursors[name] = value;
    return {};
  }
  base::Result<PullAdded> add(std::span<const domain::UsageRecord> records,
                              std::span<const domain::CostRecord> amounts) override {
    PullAdded added;
    for (const domain::UsageRecord& record : records) {
      const auto [it, fresh] = usage.try_emplace(record.format + "|" + record.source_id, record);
      if (fresh) {
        ++added.added;
      } else if (record.usage.total() > it->second.usage.total()) {
        it->second = record;
        ++added.replaced;
      } else {
        ++added.repeated;
      }
    }
    for (const domain::CostRecord& amount : amounts) {
      const bool fresh = costs.try_emplace(amount.format + "|" + amount.source_id, amount).second;
      fresh ? ++added.added : ++added.repeated;
    }
    return added;
  }
  std::uint64_t tokens() const {
    std::uint64_t sum = 0;
    for (const auto& [id, record] : usage) sum += record.usage.total();
    return sum;
  }
  std::int64_t billed() const {
    std::int64_t sum = 0;
    for (const auto& [id, amount] : costs) sum += amount.billed.value;
    return sum;
  }

  std::map<std::string, std::string> cursors;
  std::map<std::string, domain::UsageRecord> usage;
  std::map<std::string, domain::CostRecord> costs;
};

// Records what it was told to sleep instead of sleeping.
struct Pulling {
  MemoryPullStore store;
  base::ManualClock clock;
  base::SeededRandom random{1};
  std::vector<std::int64_t> slept;

  base::Result<std::vector<PullOutcome>> run(const PullProvider& provider, const std::string& url,
                                             const PullOptions& options) {
    auto origin = net::parse_base_url(url);
    EXPECT_TRUE(origin.has_value());
    auto client = net::WebClient::open(net::Dialer(), *origin, {});
    EXPECT_TRUE(client.has_value());
    HttpPageSource pages(std::move(*client), provider.headers(base::Secret("sk-test-key")));
    const auto sleep = [this](std::int64_t ms) { slept.push_back(ms); };
    return pull(provider, options, {pages, store, clock, random, sleep, {}});
  }
};

constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::int64_t kFirst = 1'767'225'600'000'000'000;  // 2026-01-01

// Days since the first, in the given query's own terms.
std::int64_t day_of(const PageServer::Request& request) {
  const std::string iso = request.at("starting_at");
  if (iso.empty()) return (std::stoll(request.at("start_time")) - kFirst / 1'000'000'000) / 86'400;
  return std::stoll(iso.substr(8, 2)) - 1 + (iso.substr(5, 2) == "01" ? 0 : 31);
}
std::string date_of(std::int64_t day) {
  return iso_seconds(kFirst + day * kDay);
}

// One day a page, `days` days, 1000 + day tokens a day; day and end from the query or the token.
Reply anthropic_page(const PageServer::Request& request, std::int64_t days) {
  const std::string token = request.at("page");
  const std::int64_t day = token.empty() ? day_of(request) : std::stoll(token.substr(5));
  const bool costs = request.path.ends_with("cost_report");
  const std::string result =
      costs ? R"({"currency":"USD","amount":"123.45","workspace_id":null,"description":"tokens",)"
              R"("cost_type":"tokens","token_type":"output_tokens","model":"claude-opus-5-5"})"
            : fmt::format(R"({{"uncached_input_tokens":{},"cache_read_input_tokens":0,)"
                          R"("cache_creation":{{"ephemeral_1h_input_tokens":0,)"
                          R"("ephemeral_5m_input_tokens":0}},"output_tokens":1000,)"
                          R"("server_tool_use":{{"web_search_requests":0}},)"
                          R"("model":"claude-opus-5-5","service_tier":"standard",)"
                          R"("workspace_id":"wrkspc_1","api_key_id":"apikey_1"}})",
                          day);
  const bool more = day + 1 < days;
  return {200, "content-type: application/json\r\n",
          fmt::format(R"({{"data":[{{"starting_at":"{}","ending_at":"{}","results":[{}]}}],)"
                      R"("has_more":{},"next_page":{}}})",
                      date_of(day), date_of(day + 1), result, more,
                      more ? fmt::format("\"page_{}\"", day + 1) : "null")};
}

constexpr std::uint64_t kTenDays = 10 * 1000 + 45;

PullOptions by_day() {
  PullOptions options;
  options.since_ns = kFirst;
  options.until_ns = kFirst + 10 * kDay;
  options.bucket = PullBucket::Day;
  options.account = "acct";
  return options;
}

void expect_whole(const Pulling& pulling) {
  EXPECT_EQ(pulling.store.usage.size(), 10U);
  EXPECT_EQ(pulling.store.tokens(), kTenDays);
  EXPECT_EQ(pulling.store.costs.size(), 10U);
  EXPECT_EQ(pulling.store.billed(), 10 * 1'234'500);
}

TEST(Pull, ReadsEveryPageOfAnthropicWithItsQuery) {
  PageServer server([](const auto& request) { return anthropic_page(request, 10); });
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  const auto outcomes = pulling.run(anthropic_pull(), server.url(), by_day());
  ASSERT_TRUE(outcomes.has_value());
  ASSERT_EQ(outcomes->size(), 2U);
  for (const PullOutcome& outcome : *outcomes) {
    EXPECT_FALSE(outcome.error.has_value()) << outcome.error->text();
    EXPECT_EQ(outcome.pages, 10U);
    EXPECT_EQ(outcome.retries, 0U);
    EXPECT_EQ(outcome.complete_ns, kFirst + 10 * kDay);
    EXPECT_EQ(outcome.added.added, 10U);
    EXPECT_EQ(outcome.skips_total, 0U);
  }
  expect_whole(pulling);
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 20U);
  EXPECT_EQ(seen[0].path, "/v1/organizations/usage_report/messages");
  EXPECT_EQ(seen[0].at("starting_at"), "2026-01-01T00:00:00Z");
  EXPECT_EQ(seen[0].at("ending_at"), "2026-01-11T00:00:00Z");
  EXPECT_EQ(seen[0].at("bucket_width"), "1d");
  EXPECT_EQ(seen[0].at("limit"), "31");
  EXPECT_EQ(seen[0].at("page"), "");
  EXPECT_EQ(seen[1].at("page"), "page_1");
  EXPECT_EQ(seen[1].at("starting_at"), "2026-01-01T00:00:00Z");
  EXPECT_EQ(seen[10].path, "/v1/organizations/cost_report");
  std::vector<std::string> groups;
  for (const auto& [key, value] : seen[0].query) {
    if (key == "group_by[]") groups.push_back(value);
  }
  EXPECT_EQ(groups, (std::vector<std::string>{"model", "workspace_id", "api_key_id", "service_tier",
                                              "context_window", "inference_geo"}));
  EXPECT_NE(seen[0].head.find("x-api-key: sk-test-key\r\n"), std::string::npos);
  EXPECT_NE(seen[0].head.find("anthropic-version: 2023-06-01\r\n"), std::string::npos);
  for (const auto& [name, value] : pulling.store.cursors) {
    EXPECT_EQ((name + value).find("sk-test"), std::string::npos);
  }
}

TEST(Pull, ReadsOpenAi) {
  PageServer server([](const PageServer::Request& request) -> Reply {
    if (request.path.ends_with("embeddings")) return {404, "", "{}"};
    const bool costs = request.path.ends_with("costs");
    const bool second = request.at("page") == "to+ken/2=";
    const std::int64_t start = kFirst / 1'000'000'000 + (second ? 86'400 : 0);
    const std::string result =
        costs ? R"({"object":"organization.costs.result","amount":{"value":0.06,)"
                R"("currency":"usd"},"line_item":"gpt-6-sol, output","project_id":"p"})"
              : R"({"object":"organization.usage.completions.result","input_tokens":1000,)"
                R"("input_cached_tokens":800,"output_tokens":500,"num_model_requests":5,)"
                R"("project_id":"p","user_id":null,"api_key_id":"k","model":"gpt-6-sol",)"
                R"("batch":false,"service_tier":"default"})";
    return {
        200, "",
        fmt::format(R"({{"object":"page","data":[{{"object":"bucket","start_time":{},)"
                    R"("end_time":{},"results":[{}]}}],"has_more":{},"next_page":{}}})",
                    start, start + 86'400, result, !second, second ? "null" : R"("to+ken/2=")")};
  });
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  PullOptions options = by_day();
  options.until_ns = kFirst + 2 * kDay;
  const auto outcomes = pulling.run(openai_pull(), server.url(), options);
  ASSERT_TRUE(outcomes.has_value());
  ASSERT_EQ(outcomes->size(), 3U);
  for (const PullOutcome& outcome : *outcomes) {
    EXPECT_FALSE(outcome.error.has_value()) << outcome.error->text();
  }
  EXPECT_TRUE((*outcomes)[1].lacking);
  EXPECT_EQ(pulling.store.tokens(), 2 * 1500U);
  EXPECT_EQ(pulling.store.billed(), 120'000);
  const auto seen = server.seen();
  EXPECT_EQ(seen[0].at("start_time"), "1767225600");
  EXPECT_EQ(seen[0].at("end_time"), "1767398400");
  EXPECT_NE(seen[0].head.find("authorization: Bearer sk-test-key\r\n"), std::string::npos);
}

// Each trouble once, at the fifth page of the usage report.
TEST(Pull, GoesThroughTroubleThatPasses) {
  const std::vector<Reply> troubles = {
      {429, "retry-after: 7\r\n", "{}"},
      {500, "", "oops"},
      {529, "", R"({"error":{"type":"overloaded_error"}})"},
      {200, "", R"({"data":[)"},
      {200, "", R"({"data":{},"has_more":false})"},
      {200, "", R"({"data":[],"has_more":true,"next_page":null})"},
      {200, "", "<html>a proxy's page</html>"},
  };
  for (std::size_t i = 0; i <= troubles.size(); ++i) {
    std::atomic<int> count = 0;
    PageServer server([&](const PageServer::Request& request) -> Reply {
      Reply good = anthropic_page(request, 10);
      if (++count != 5) return good;
      if (i < troubles.size()) return troubles[i];
      good.cut_at = good.body.size() / 2;
      return good;
    });
    Pulling pulling;
    pulling.clock.advance(std::chrono::days(40));
    const auto outcomes = pulling.run(anthropic_pull(), server.url(), by_day());
    ASSERT_TRUE(outcomes.has_value());
    EXPECT_FALSE((*outcomes)[0].error.has_value()) << i << (*outcomes)[0].error->text();
    EXPECT_EQ((*outcomes)[0].retries, 1U) << i;
    ASSERT_EQ(pulling.slept.size(), 1U) << i;
    if (i == 0) {
      EXPECT_GE(pulling.slept[0], 7000);
      EXPECT_LT(pulling.slept[0], 7250);
    } else {
      EXPECT_GE(pulling.slept[0], 500);
      EXPECT_LE(pulling.slept[0], 1000);
    }
    expect_whole(pulling);
  }
}

// The trouble stays: the pull ends, and the next one, when all is well, goes on behind the last
// whole page.
TEST(Pull, KeepsWhatItHasAndGoesOnThere) {
  for (const int kind : {0, 1, 2, 3}) {
    std::atomic<bool> well = false;
    PageServer server([&](const PageServer::Request& request) -> Reply {
      Reply good = anthropic_page(request, 10);
      if (well || request.at("page") != "page_4") return good;
      if (kind == 0) return {500, "", ""};
      if (kind == 1) return {429, "retry-after: 4000\r\n", ""};
      good.cut_at = kind == 2 ? 0 : good.body.size() - 1;
      return good;
    });
    Pulling pulling;
    pulling.clock.advance(std::chrono::days(40));
    PullOptions options = by_day();
    options.retries = 3;
    auto outcomes = pulling.run(anthropic_pull(), server.url(), options);
    ASSERT_TRUE(outcomes.has_value());
    for (const PullOutcome& outcome : *outcomes) {
      ASSERT_TRUE(outcome.error.has_value());
      EXPECT_NE(outcome.error->hint.find("goes on where it stopped"), std::string::npos);
      EXPECT_EQ(outcome.pages, 4U);
      EXPECT_EQ(outcome.complete_ns, kFirst + 4 * kDay);
      EXPECT_EQ(outcome.retries, kind == 1 ? 0U : 3U);
    }
    EXPECT_EQ(pulling.store.usage.size(), 4U);
    for (std::size_t n = 1; n < 3 && kind != 1; ++n) {
      EXPECT_GE(pulling.slept[n], 500 << n);
      EXPECT_LE(pulling.slept[n], 1000 << n);
    }

    well = true;
    const std::size_t before = server.seen().size();
    outcomes = pulling.run(anthropic_pull(), server.url(), options);
    ASSERT_TRUE(outcomes.has_value());
    EXPECT_EQ((*outcomes)[0].begun_ns, kFirst + 4 * kDay);
    EXPECT_EQ((*outcomes)[0].pages, 6U);
    EXPECT_EQ(server.seen()[before].at("starting_at"), "2026-01-05T00:00:00Z");
    expect_whole(pulling);

    outcomes = pulling.run(anthropic_pull(), server.url(), options);
    ASSERT_TRUE(outcomes.has_value());
    EXPECT_TRUE((*outcomes)[0].up_to_date);
    EXPECT_EQ((*outcomes)[0].pages, 0U);
    options.again = true;
    outcomes = pulling.run(anthropic_pull(), server.url(), options);
    EXPECT_EQ((*outcomes)[0].pages, 10U);
    EXPECT_EQ((*outcomes)[0].added.repeated, 10U);
    expect_whole(pulling);
  }
}

TEST(Pull, ASlowPageIsAPage) {
  PageServer server([](const auto& request) {
    Reply reply = anthropic_page(request, 2);
    reply.slow = true;
    return reply;
  });
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  PullOptions options = by_day();
  options.until_ns = kFirst + 2 * kDay;
  const auto outcomes = pulling.run(anthropic_pull(), server.url(), options);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_FALSE((*outcomes)[0].error.has_value());
  EXPECT_EQ(pulling.store.usage.size(), 2U);
}

TEST(Pull, AsksAgainForWhatMayStillChange) {
  std::atomic<std::int64_t> days = 8;
  PageServer server([&](const auto& request) { return anthropic_page(request, days); });
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(8));  // the last bucket has just ended
  PullOptions options = by_day();
  options.until_ns = 0;
  auto outcomes = pulling.run(anthropic_pull(), server.url(), options);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].complete_ns, kFirst + 8 * kDay);
  EXPECT_EQ(pulling.store.usage.size(), 8U);
  pulling.clock.advance(std::chrono::days(2));
  days = 10;
  outcomes = pulling.run(anthropic_pull(), server.url(), options);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ((*outcomes)[0].begun_ns, kFirst + 7 * kDay);  // one day may change
  EXPECT_EQ((*outcomes)[1].begun_ns, kFirst + 5 * kDay);  // costs: three
  EXPECT_EQ((*outcomes)[0].added.repeated, 1U);
  expect_whole(pulling);
}

TEST(Pull, RefusesASecondWidthOfTheSameTime) {
  PageServer server([](const auto& request) { return anthropic_page(request, 10); });
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  PullOptions options = by_day();
  ASSERT_TRUE(pulling.run(anthropic_pull(), server.url(), options).has_value());
  options.bucket = PullBucket::Hour;
  auto outcomes = pulling.run(anthropic_pull(), server.url(), options);
  ASSERT_TRUE(outcomes.has_value());
  ASSERT_TRUE((*outcomes)[0].error.has_value());
  EXPECT_EQ((*outcomes)[0].error->code, base::Code::FailedPrecondition);
  EXPECT_NE((*outcomes)[0].error->message.find("count twice"), std::string::npos);
  EXPECT_FALSE((*outcomes)[1].error.has_value());  // costs are by day anyway
  expect_whole(pulling);
  options.account = "other";
  outcomes = pulling.run(anthropic_pull(), server.url(), options);
  EXPECT_FALSE((*outcomes)[0].error.has_value());
}

TEST(Pull, EndsAtWhatWillNotPass) {
  struct Case {
    Reply reply;
    base::Code code;
  };
  const std::vector<Case> cases = {
      {{401, "", R"({"error":{"type":"authentication_error","message":"bad key sk-test-key"}})"},
       base::Code::Unauthenticated},
      {{403, "", R"({"error":{"type":"Sk-Test-Key","message":"sk-test-key"}})"},
       base::Code::PermissionDenied},
      {{404, "", "sk-test-key"}, base::Code::NotFound},
      {{400, "", "{}"}, base::Code::FailedPrecondition},
      {{302, "location: http://elsewhere.example\r\n", ""}, base::Code::FailedPrecondition},
  };
  for (const Case& test : cases) {
    PageServer server([&](const auto&) { return test.reply; });
    Pulling pulling;
    pulling.clock.advance(std::chrono::days(40));
    const auto outcomes = pulling.run(anthropic_pull(), server.url(), by_day());
    ASSERT_TRUE(outcomes.has_value());
    ASSERT_TRUE(outcomes->front().error.has_value());
    EXPECT_EQ(outcomes->front().error->code, test.code) << test.reply.status;
    EXPECT_EQ(outcomes->front().error->text().find("est-key"), std::string::npos);
    EXPECT_TRUE(pulling.slept.empty());
    EXPECT_EQ(outcomes->size(), test.code == base::Code::Unauthenticated ? 1U : 2U);
    EXPECT_TRUE(pulling.store.cursors.empty());
  }
}

TEST(Pull, AServerThatRepeatsItsPageDoesNotHoldUsForEver) {
  PageServer server([](const PageServer::Request& request) {
    PageServer::Request same = request;
    same.query = {{"page", "page_1"}};
    Reply reply = anthropic_page(same, 3);
    reply.body.replace(reply.body.find("page_2"), 6, "page_1");
    return reply;
  });
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  const auto outcomes = pulling.run(anthropic_pull(), server.url(), by_day());
  ASSERT_TRUE(outcomes.has_value());
  ASSERT_TRUE(outcomes->front().error.has_value());
  EXPECT_NE(outcomes->front().error->message.find("again and again"), std::string::npos);
  EXPECT_LE(server.seen().size(), 4U);
}

TEST(Pull, NeedsAStretchOfTime) {
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  PullOptions options = by_day();
  options.until_ns = options.since_ns;
  EXPECT_EQ(pulling.run(anthropic_pull(), "http://127.0.0.1:1", options).error().code,
            base::Code::InvalidArgument);
  options.since_ns = kFirst + 400 * kDay;
  options.until_ns = 0;
  EXPECT_EQ(pulling.run(anthropic_pull(), "http://127.0.0.1:1", options).error().code,
            base::Code::InvalidArgument);
}

TEST(Pull, NobodyAnswers) {
  std::string url;
  {
    const PageServer gone([](const auto&) { return Reply{}; });
    url = gone.url();
  }
  Pulling pulling;
  pulling.clock.advance(std::chrono::days(40));
  PullOptions options = by_day();
  options.retries = 2;
  const auto outcomes = pulling.run(anthropic_pull(), url, options);
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ(outcomes->front().error->code, base::Code::Unavailable);
  EXPECT_EQ(outcomes->front().retries, 2U);
}

class PullKey : public ::testing::Test {
 protected:
  PullKey() : path_(::testing::TempDir() + "pull-key-" + std::to_string(::getpid())) {}
  ~PullKey() override { std::filesystem::remove(path_); }
  std::string write(const std::string& text, mode_t mode) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), mode);
    return path_;
  }
  std::string path_;
};

TEST_F(PullKey, ComesFromAPrivateFileOrTheEnvironment) {
  EXPECT_EQ(read_pull_key(write("sk-file\n", 0600), "FH_TEST_KEY")->reveal(), "sk-file");
  EXPECT_EQ(read_pull_key(write("sk-file", 0400), "FH_TEST_KEY")->reveal(), "sk-file");
  ::unsetenv("FH_TEST_KEY");
  EXPECT_EQ(read_pull_key("", "FH_TEST_KEY").error().code, base::Code::InvalidArgument);
  ::setenv("FH_TEST_KEY", "sk-env", 1);
  EXPECT_EQ(read_pull_key("", "FH_TEST_KEY")->reveal(), "sk-env");
  EXPECT_EQ(key_tag(base::Secret("sk-env")).size(), 8U);
  EXPECT_NE(key_tag(base::Secret("sk-env")), key_tag(base::Secret("sk-other")));
}

TEST_F(PullKey, IsRefusedWhenOthersCanReadIt) {
  for (const mode_t mode : {0640, 0604, 0644, 0620}) {
    ::unlink(path_.c_str());
    const auto key = read_pull_key(write("sk-file\n", mode), "FH_TEST_KEY");
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, base::Code::PermissionDenied);
    EXPECT_EQ(key.error().text().find("sk-file"), std::string::npos);
  }
  for (const std::string text : {"", "\n", "two words", "a\r\nx-injected: 1", "k\xc3\xa9y"}) {
    const auto key = read_pull_key(write(text, 0600), "FH_TEST_KEY");
    ASSERT_FALSE(key.has_value()) << text;
    EXPECT_EQ(key.error().code, base::Code::InvalidArgument);
  }
  EXPECT_EQ(read_pull_key(write(std::string(5000, 'k'), 0600), "V").error().code,
            base::Code::InvalidArgument);
  EXPECT_EQ(read_pull_key(path_ + "-none", "V").error().code, base::Code::NotFound);
  EXPECT_EQ(read_pull_key("/", "V").error().code, base::Code::InvalidArgument);
}

}  // namespace
}  // namespace fh::importers
