// The supervisor with gateways and workers of the test's making: this program starts itself as the
// supervisor, which starts it as gateway and worker (the roles below). Roles write what happens to
// them as lines of <data-dir>/events; the tests wait for lines. Every wait is bounded; only a
// broken build reaches the bound.
#include "cli/supervisor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/spawner.h"
#include "cli/control.h"

namespace fh::cli {
namespace {

using namespace std::chrono_literals;
using base::os::ChildProcess;
using base::os::Fd;
using Args = std::vector<std::string>;

const std::string kBlob(64, 'b');

std::string arg(const Args& args, std::string_view name) {
  const std::string prefix = fmt::format("--{}=", name);
  for (const std::string& a : args) {
    if (a.starts_with(prefix)) return a.substr(prefix.size());
  }
  return {};
}

// ---- the roles ----

std::filesystem::path g_dir;

void record(const std::string& line) {
  const Fd fd(open((g_dir / "events").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!base::os::write_full(fd.get(), line + "\n")) _exit(99);
}

std::string events(const std::filesystem::path& dir) {
  return base::os::read_file(dir / "events", 1 << 20).value_or("");
}

std::size_t count(const std::string& text, const std::string& line) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(line, at)) != std::string::npos; ++at) ++found;
  return found;
}

[[noreturn]] void sleep_for_ever() {
  for (;;) pause();
}

// What the supervisor told a gateway, one at a time.
class Told {
 public:
  struct Item {
    std::string text;
    Fd worker;
  };
  ControlClient::Callbacks callbacks() {
    return {
        [this](WorkerStarted m, Fd fd) {
          add({fmt::format("started {} {}", m.model_id, m.generation), std::move(fd)});
        },
        [this](WorkerExited m) {
          add({fmt::format("exited {} {}: {}, retry {}", m.model_id, m.generation, m.description,
                           m.retry_ms == kNotRetried ? "never" : std::to_string(m.retry_ms)),
               Fd()});
        },
        [this](Drain m) { add({fmt::format("drain {}", m.limit_ms), Fd()}); },
        [this] { add({"ping", Fd()}); },
        {}};
  }
  Item next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !items_.empty(); });
    Item item = std::move(items_.front());
    items_.erase(items_.begin());
    return item;
  }
  // Records each thing until one starts with `text`.
  Item record_until(const std::string& text) {
    for (;;) {
      Item item = next();
      record(item.text);
      if (item.text.starts_with(text)) return item;
    }
  }

 private:
  void add(Item item) {
    const std::scoped_lock lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_one();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> items_;
};

StartWorker worker_request(std::uint32_t context, const std::string& behaviour) {
  return {"m", kBlob, context, 2, 1, {"--behave=" + behaviour}};
}

void say_what_the_worker_says(const Told::Item& started) {
  char text[64] = {};
  const ssize_t got = read(started.worker.get(), text, sizeof text);
  record("worker says " + std::string(text, got > 0 ? static_cast<std::size_t>(got) : 0));
}

int gateway_with_dying_worker(ControlClient& client, Told& told) {
  if (!client.start_worker(worker_request(1, "die"))) return 3;
  for (int i = 1; i <= 4; ++i) told.record_until(fmt::format("exited m {}", i));
  if (!client.stop_worker("m")) return 3;
  record("done");
  sleep_for_ever();
}

int gateway_with_good_worker(ControlClient& client, Told& told) {
  if (!client.start_worker(worker_request(1024, "stay"))) return 3;
  say_what_the_worker_says(told.record_until("started"));
  if (!client.start_worker(worker_request(1024, "stay"))) return 3;  // the same: nothing happens
  if (!client.start_worker(worker_request(2048, "stay"))) return 3;  // other settings: replaced
  say_what_the_worker_says(told.record_until("started"));
  if (!client.stop_worker("m")) return 3;
  told.record_until("exited");
  StartWorker missing = worker_request(1, "stay");
  missing.blob_sha256 = std::string(64, 'c');
  if (!client.start_worker(missing)) return 3;
  told.record_until("exited");
  record("done");
  sleep_for_ever();
}

// Dies once with a worker running; the next gateway asks again.
int gateway_that_dies_with_a_worker(ControlClient& client, Told& told, bool first) {
  if (!client.start_worker(worker_request(1, "stay"))) return 3;
  say_what_the_worker_says(told.record_until("started"));
  if (first) std::abort();
  record("done");
  sleep_for_ever();
}

// Its worker does not end when it is asked to, and is followed by another all the same.
int gateway_with_stuck_worker(ControlClient& client, Told& told) {
  if (!client.start_worker(worker_request(1, "stuck"))) return 3;
  say_what_the_worker_says(told.record_until("started"));
  if (!client.stop_worker("m")) return 3;
  if (!client.start_worker(worker_request(1, "stuck"))) return 3;
  say_what_the_worker_says(told.record_until("started m 2"));
  record("done");
  sleep_for_ever();
}

// Lets its worker end, by closing its socket, before it ends itself.
int gateway_that_ends_after_its_worker(ControlClient& client, Told& told,
                                       const std::string& behaviour) {
  if (!client.start_worker(worker_request(1, behaviour))) return 3;
  Told::Item started = told.record_until("started");
  say_what_the_worker_says(started);
  record("ready");
  told.record_until("drain");
  started.worker.reset();
  told.record_until("exited");
  return 0;
}

int drain_well(Told& told) {
  record("ready");
  told.record_until("drain");
  return 0;
}

int serve_one() {
  const Fd connection(accept(4, nullptr, nullptr));
  if (!base::os::write_full(connection.get(), "served")) return 3;
  record("served");
  sleep_for_ever();
}

int send_garbage() {
  if (!base::os::send_message(3, "garbage")) return 3;
  sleep_for_ever();
}

// Says why it cannot start, and ends so that it is started again.
int fail_to_start() {
  const GatewayFailed why =
      gateway_failed({base::Code::ResourceExhausted, "the disk\nis full", "free some", {}, {}});
  return base::os::send_message(3, encode_control(why).value()) ? 1 : 3;
}

// Serves once and dies; cannot start the second time; serves from the third on.
int gateway_that_serves_before_it_fails(std::size_t starts) {
  if (starts == 2) return fail_to_start();
  if (!base::os::send_message(3, encode_control(GatewayReady{}).value())) return 3;
  if (starts == 1) std::abort();
  record("ready");
  sleep_for_ever();
}

// Serves and then hangs, as far as can be seen from outside; its successor answers for longer than
// anybody waits for an answer.
int gateway_that_hangs_once(ControlClient& client, Told& told, bool first) {
  if (!client.ready()) return 3;
  if (first) raise(SIGSTOP);
  for (int i = 0; i < 30; ++i) {
    told.record_until("ping");
    if (!client.pong()) return 3;
  }
  record("ready");
  sleep_for_ever();
}

int gateway_role(const Args& args) {
  base::os::end_with_parent();
  const std::string scenario = arg(args, "scenario");
  const std::size_t starts = count(events(g_dir), "gateway ") + 1;
  record(fmt::format("gateway {} listeners {}", getpid(), arg(args, "listeners")));
  if (scenario == "crash") return starts < 4 ? 7 : serve_one();
  if (scenario == "configuration") return 2;
  if (scenario == "end") return 0;
  if (scenario == "fails") return fail_to_start();
  if (scenario == "fails-later") return gateway_that_serves_before_it_fails(starts);
  if (scenario == "garbage" && starts == 1) return send_garbage();
  if (scenario == "stubborn" || scenario == "garbage") {
    record("ready");
    sleep_for_ever();
  }
  Told told;
  const auto client = ControlClient::start(Fd(3), told.callbacks());
  if (!client) return 3;
  if (scenario == "drain") return drain_well(told);
  if (scenario == "hangs") return gateway_that_hangs_once(**client, told, starts == 1);
  if (scenario == "dying-worker") return gateway_with_dying_worker(**client, told);
  if (scenario == "good-worker") return gateway_with_good_worker(**client, told);
  if (scenario == "stuck-worker") return gateway_with_stuck_worker(**client, told);
  if (scenario == "leave" || scenario == "break") {
    return gateway_that_ends_after_its_worker(**client, told, scenario);
  }
  if (scenario == "dies") return gateway_that_dies_with_a_worker(**client, told, starts == 1);
  return 3;
}

int worker_role(const Args& args) {
  base::os::end_with_parent();
  g_dir = std::filesystem::path(arg(args, "model-file")).parent_path().parent_path().parent_path();
  record(fmt::format("worker {}", getpid()));
  const std::string behaviour = arg(args, "behave");
  if (behaviour == "die") std::abort();
  if (behaviour == "stuck") signal(SIGTERM, SIG_IGN);
  const bool has_keys = getenv("UPSTREAM_KEY") != nullptr;
  const std::string text =
      fmt::format("{} {} {} {} {} {}", arg(args, "model-id"), arg(args, "context"),
                  arg(args, "sequences"), arg(args, "threads"), arg(args, "extra"), has_keys);
  if (!base::os::write_full(3, text)) return 3;
  if (behaviour == "leave" || behaviour == "break") {
    char byte = 0;
    while (read(3, &byte, 1) > 0) {
    }
    return behaviour == "leave" ? 0 : 4;
  }
  sleep_for_ever();
}

int supervisor_role(const Args& args) {
  SupervisorOptions options;
  options.listen = {arg(args, "listen")};
  options.data_dir = g_dir;
  options.gateway_args = {"--scenario=" + arg(args, "scenario")};
  options.worker_args = {"--extra=yes"};
  options.environment = {"UPSTREAM_KEY=sk-1"};
  options.drain_limit = std::chrono::milliseconds(std::stoi(arg(args, "drain-ms")));
  options.backoff = {10ms, 40ms, 3'600'000ms};
  options.worker_stop_limit = 200ms;
  if (arg(args, "scenario") == "hangs") options.heartbeat = {20ms, 20};
  options.second_signal_after = arg(args, "scenario") == "drain" ? 3'600'000ms : 0ms;
  if (std::filesystem::exists(g_dir) && freopen((g_dir / "log").c_str(), "a", stderr) == nullptr) {
    return 99;
  }
  options.on_listening = [](const Args& addresses) {
    for (const std::string& address : addresses) record("listening on " + address + " ");
  };
  const base::Status status = run_supervisor(options);
  record("result " + (status ? "ok" : status.error().text()));
  return status ? 0 : 1;
}

// ---- the tests ----

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    std::string path = std::filesystem::temp_directory_path() / "freehold-supervisor-test-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    dir_ = path;
    EXPECT_TRUE(base::os::make_folders(dir_ / "models" / "blobs", 0700));
    EXPECT_TRUE(base::os::write_file_atomically(dir_ / "models" / "blobs" / (kBlob + ".gguf"),
                                                "GGUF", 0600));
  }
  ~SupervisorTest() override {
    supervisor_ = ChildProcess();
    for (const pid_t pid : pids_of("")) EXPECT_TRUE(ends(pid));
    std::filesystem::remove_all(dir_);
  }

  ChildProcess spawn(const std::string& scenario, const std::string& listen, int drain_ms) {
    return spawner_
        .spawn({{"--role=test-supervisor", "--data-dir=" + dir_.string(), "--scenario=" + scenario,
                 "--listen=" + listen, fmt::format("--drain-ms={}", drain_ms)},
                {},
                {}})
        .value();
  }
  void start(const std::string& scenario, int drain_ms = 60'000) {
    supervisor_ = spawn(scenario, "127.0.0.1:0", drain_ms);
  }
  // Waits until `line` was recorded `times` times.
  std::string wait_for(const std::string& line, std::size_t times = 1) {
    for (int i = 0; i < 6000; ++i) {
      std::string text = events(dir_);
      if (count(text, line) >= times) return text;
      std::this_thread::sleep_for(5ms);
    }
    ADD_FAILURE() << "\"" << line << "\" never came:\n" << events(dir_);
    return {};
  }
  int exit_code() { return supervisor_.wait(30s).value().value().value; }
  std::string address() {
    const std::string text = wait_for(" \n");
    const std::size_t at = text.find("listening on ") + 13;
    return text.substr(at, text.find(' ', at) - at);
  }
  std::vector<pid_t> pids_of(const std::string& role) {
    std::vector<pid_t> out;
    const std::string text = events(dir_);
    for (const std::string& prefix : {std::string("gateway "), std::string("worker ")}) {
      if (!role.empty() && prefix != role + " ") continue;
      for (std::size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;) {
        at += prefix.size();
        pid_t pid = 0;
        if (std::from_chars(&text[at], text.data() + text.size(), pid).ec == std::errc()) {
          out.push_back(pid);
        }
      }
    }
    return out;
  }
  // No process of that number is left, or a dead one that nobody has reaped yet.
  static bool ends(pid_t pid) {
    for (int i = 0; i < 6000; ++i) {
      const auto stat = base::os::read_file(fmt::format("/proc/{}/stat", pid), 4096);
      if (!stat || stat->find(") Z ") != std::string::npos) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  std::filesystem::path dir_;
  base::os::Spawner spawner_ = base::os::Spawner::create().value();
  ChildProcess supervisor_;
};

Fd connect_to(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fd.reset();
  return fd;
}

TEST_F(SupervisorTest, AClientWaitsThroughTheGatewaysDeaths) {
  start("crash");
  const Fd client = connect_to(address());  // while gateways come and die
  ASSERT_TRUE(client);
  char answer[16] = {};
  ASSERT_EQ(read(client.get(), answer, sizeof answer), 6);
  EXPECT_STREQ(answer, "served");
  EXPECT_EQ(count(events(dir_), "listeners 1\n"), 4U);
}

TEST_F(SupervisorTest, ADyingWorkerIsStartedAgainEachTimeLater) {
  start("dying-worker");
  const std::string text = wait_for("done");
  const std::string died = "killed by signal 6 (SIGABRT), retry ";
  EXPECT_NE(text.find("exited m 1: " + died + "10\n"), std::string::npos) << text;
  EXPECT_NE(text.find("exited m 2: " + died + "20\n"), std::string::npos) << text;
  EXPECT_NE(text.find("exited m 3: " + died + "40\n"), std::string::npos) << text;
  EXPECT_NE(text.find("exited m 4: " + died + "40\n"), std::string::npos) << text;
  EXPECT_EQ(pids_of("gateway").size(), 1U);  // which did not notice
}

TEST_F(SupervisorTest, AWorkerIsStartedReplacedStoppedOrRefused) {
  start("good-worker");
  const std::string text = wait_for("done");
  const std::vector<std::string> expected = {
      "started m 1\n",
      "worker says m 1024 2 1 yes false\n",
      "exited m 1: killed by signal 15 (SIGTERM), retry 0\n",
      "started m 2\n",
      "worker says m 2048 2 1 yes false\n",
      "exited m 2: killed by signal 15 (SIGTERM), retry never\n",
      "exited m 0: its file " + std::string(64, 'c') +
          ".gguf is not in the model store, retry never\n",
  };
  std::size_t at = 0;
  for (const std::string& line : expected) {
    at = text.find(line, at);
    ASSERT_NE(at, std::string::npos) << line << " is not there, or not in its place:\n" << text;
  }
  EXPECT_EQ(pids_of("worker").size(), 2U);
}

TEST_F(SupervisorTest, WorkersEndWithTheirGatewayAndItsSuccessorAsksAgain) {
  start("dies");
  wait_for("done");
  const std::vector<pid_t> workers = pids_of("worker");
  ASSERT_EQ(workers.size(), 2U);
  EXPECT_TRUE(ends(workers[0]));
  EXPECT_EQ(kill(workers[1], 0), 0);
  EXPECT_EQ(count(events(dir_), "worker says m 1 2 1 yes false\n"), 2U);
}

TEST_F(SupervisorTest, EveryRoleDiesWithTheSupervisor) {
  start("good-worker");
  wait_for("worker says");
  ASSERT_TRUE(supervisor_.kill(SIGKILL));
  for (const pid_t pid : pids_of("")) EXPECT_TRUE(ends(pid)) << pid;
}

TEST_F(SupervisorTest, ASignalDrainsAndEndsWell) {
  for (const int signal : {SIGTERM, SIGINT}) {
    std::filesystem::remove(dir_ / "events");
    start("drain", 5000);
    wait_for("ready");
    ASSERT_TRUE(supervisor_.kill(SIGHUP));  // ignored
    ASSERT_TRUE(supervisor_.kill(signal));
    ASSERT_TRUE(supervisor_.kill(signal == SIGINT ? SIGTERM : SIGINT));  // at once: the same wish
    EXPECT_EQ(exit_code(), 0);
    wait_for("drain 5000\nresult ok\n");
    EXPECT_FALSE(connect_to(address()));
  }
}

TEST_F(SupervisorTest, AWorkerThatIsStuckIsKilledAndFollowed) {
  start("stuck-worker");
  const std::string text = wait_for("done");
  const std::size_t killed = text.find("exited m 1: killed by signal 9 (SIGKILL), retry 0\n");
  ASSERT_NE(killed, std::string::npos) << text;
  EXPECT_NE(text.find("started m 2\n", killed), std::string::npos) << text;
}

// What is meant to happen is no error in the log.
TEST_F(SupervisorTest, AStopLogsNoErrorUnlessThereIsOne) {
  for (const auto& [scenario, errors] : {std::pair("leave", 0U), std::pair("break", 1U)}) {
    std::filesystem::remove(dir_ / "events");
    std::filesystem::remove(dir_ / "log");
    start(scenario);
    wait_for("ready");
    ASSERT_TRUE(supervisor_.kill(SIGTERM));
    EXPECT_EQ(exit_code(), 0);
    const std::string log = base::os::read_file(dir_ / "log", 1 << 20).value_or("");
    EXPECT_EQ(count(log, "worker ended"), 1U) << log;
    EXPECT_EQ(count(log, " error "), errors) << log;
    EXPECT_EQ(count(log, " warn "), 0U) << log;
  }
}

TEST_F(SupervisorTest, ASecondSignalEndsAtOnce) {
  start("stubborn");
  wait_for("ready");
  ASSERT_TRUE(supervisor_.kill(SIGTERM));
  ASSERT_TRUE(supervisor_.kill(SIGTERM));
  // Two signals of one kind may arrive as one: another kind is the second for certain.
  ASSERT_TRUE(supervisor_.kill(SIGINT));
  EXPECT_EQ(exit_code(), 1);
  wait_for("result stopped at once by a second signal");
}

TEST_F(SupervisorTest, ADrainHasAnEnd) {
  start("stubborn", 50);
  wait_for("ready");
  ASSERT_TRUE(supervisor_.kill(SIGTERM));
  EXPECT_EQ(exit_code(), 1);
  wait_for("result requests were still running when the drain limit ended");
  EXPECT_TRUE(ends(pids_of("gateway").at(0)));
}

TEST_F(SupervisorTest, AGatewayThatRefusesItsConfigurationIsNotStartedAgain) {
  start("configuration");
  EXPECT_EQ(exit_code(), 1);
  wait_for("result the gateway refuses its configuration");
  EXPECT_EQ(pids_of("gateway").size(), 1U);
}

// Somebody looks at the terminal: a start that cannot work must not be tried for ever.
TEST_F(SupervisorTest, AFirstStartThatFailsEndsTheServiceAndSaysWhy) {
  start("fails");
  EXPECT_EQ(exit_code(), 1);
  wait_for(
      "result the disk is full (free some)\n");  // nothing that a terminal would take for a command
  EXPECT_EQ(pids_of("gateway").size(), 1U);
}

TEST_F(SupervisorTest, AServiceThatHasServedWaitsForItsDisk) {
  start("fails-later");
  wait_for("ready");
  EXPECT_EQ(pids_of("gateway").size(), 3U);
  EXPECT_NE(base::os::read_file(dir_ / "log", 1 << 20).value_or("").find("the disk is full"),
            std::string::npos);
}

TEST_F(SupervisorTest, AGatewayThatEndsByItselfEndsTheService) {
  start("end");
  EXPECT_EQ(exit_code(), 0);
  EXPECT_EQ(pids_of("gateway").size(), 1U);
}

TEST_F(SupervisorTest, AGatewayThatBreaksTheProtocolIsReplaced) {
  start("garbage");
  wait_for("ready");
  const std::vector<pid_t> gateways = pids_of("gateway");
  ASSERT_EQ(gateways.size(), 2U);
  EXPECT_TRUE(ends(gateways[0]));
}

TEST_F(SupervisorTest, AGatewayThatHangsIsKilledAndFollowed) {
  start("hangs");
  wait_for("ready");
  const std::vector<pid_t> gateways = pids_of("gateway");
  ASSERT_GE(gateways.size(), 2U);
  EXPECT_TRUE(ends(gateways[0]));
  const std::string log = base::os::read_file(dir_ / "log", 1 << 20).value_or("");
  EXPECT_NE(log.find("its event loop has answered nothing for 400 ms"), std::string::npos) << log;
}

TEST_F(SupervisorTest, ASecondSupervisorIsToldWhoIsThere) {
  start("stubborn");
  wait_for("ready");
  EXPECT_EQ(spawn("stubborn", "127.0.0.1:0", 1).wait(30s).value().value().value, 1);
  wait_for(fmt::format("result the data folder {} is in use by another Freehold (process {})",
                       dir_.string(), supervisor_.pid()));
  const std::filesystem::path other = dir_ / "other";  // another folder, the same port
  ChildProcess third = spawner_
                           .spawn({{"--role=test-supervisor", "--data-dir=" + other.string(),
                                    "--listen=" + address(), "--drain-ms=1"},
                                   {},
                                   {}})
                           .value();
  EXPECT_EQ(third.wait(30s).value().value().value, 1);
  const std::string told = events(other);
  EXPECT_TRUE(told.contains(
      fmt::format("{} is in use by another Freehold (process {})", address(), supervisor_.pid())))
      << told;
}

TEST_F(SupervisorTest, ABadPlaceIsRefusedBeforeAnythingStarts) {
  supervisor_ = spawn("stubborn", "example.org:80", 1);
  EXPECT_EQ(exit_code(), 1);
  wait_for("result `example.org:80` is not an address to listen on");
  EXPECT_TRUE(pids_of("").empty());
}

}  // namespace

// The code of a role, or -1 when the arguments name none.
int run_supervisor_test_role(const std::vector<std::string>& args) {
  if (args.empty() || !args[0].starts_with("--role=")) return -1;
  g_dir = arg(args, "data-dir");
  if (args[0] == "--role=test-supervisor") return supervisor_role(args);
  if (args[0] == "--role=gateway") return gateway_role(args);
  if (args[0] == "--role=worker") return worker_role(args);
  return 98;
}

}  // namespace fh::cli

int main(int argc, char** argv) {
  if (const int code = fh::cli::run_supervisor_test_role({argv + 1, argv + argc}); code >= 0)
    return code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
