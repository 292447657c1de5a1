// freehold chat: one question, or a conversation on the terminal, with the running server.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include "cli/access.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "codec/sse.h"
#include "net/blocking_client.h"

namespace fh::cli {
namespace {

using codec::json::Document;
using codec::json::Value;

constexpr std::int64_t kSilenceMs = 120'000;
constexpr const char* kBrokenOff = "broken_off";  // an answer that had begun

struct Turn {
  std::string role, text;
};

struct Answer {
  std::string text;
  std::string request_id;
  std::int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  double seconds = 0, first_seconds = 0;
};

std::string request_body(const ChatArgs& args, const std::vector<Turn>& turns) {
  codec::json::Writer w;
  w.object().member("model", args.model).member("stream", true);
  if (args.max_tokens > 0) w.member("max_tokens", args.max_tokens);
  w.key("stream_options").object();
  w.member("include_usage", true).end_object().key("messages").array();
  for (const Turn& turn : turns) {
    w.object().member("role", turn.role).member("content", turn.text).end_object();
  }
  w.end_array().end_object();
  return w.take();
}

class Conversation {
 public:
  Conversation(RunningServer server, const Config& config, base::Secret key, const ChatArgs& args)
      : server_(std::move(server)),
        key_file_(admin_key_file(config)),
        key_(std::move(key)),
        args_(args) {
    if (!args.system.empty()) turns_.push_back({"system", args.system});
  }
  base::Result<Answer> ask(const std::string& question);
  // The question that failed: the next one must not carry it along.
  void drop_last() { turns_.pop_back(); }

 private:
  base::Status on_event(const codec::sse::Event& event, Answer& answer) const;

  RunningServer server_;
  std::filesystem::path key_file_;
  base::Secret key_;
  const ChatArgs& args_;
  std::vector<Turn> turns_;
  net::Dialer dialer_;
};

base::Error error_of(std::string_view body, int status) {
  base::Error error;
  error.code = status >= 500 ? base::Code::Unavailable : base::Code::FailedPrecondition;
  error.message = fmt::format("the server answered {}", status);
  if (const auto document = Document::parse(body)) {
    const Value said = document->root()["error"];
    if (const auto message = said["message"].as_string()) error.message = *message;
    if (said["code"].as_string() == "model_not_found") {
      error.code = base::Code::NotFound;
      error.message = error.message.substr(0, error.message.find(" ("));
      error.hint = "`freehold models list` shows what there is; without -m the default answers";
    }
  }
  return error;
}

base::Status Conversation::on_event(const codec::sse::Event& event, Answer& answer) const {
  if (event.data == "[DONE]") return {};
  FH_TRY(const Document chunk, Document::parse(event.data));
  const Value root = chunk.root();
  if (const Value error = root["error"]; error.is_object()) {
    base::Error broken =
        error_of(event.data, error["type"].as_string() == "server_error" ? 500 : 400);
    broken.reason = kBrokenOff;
    return std::unexpected(std::move(broken));
  }
  const Value delta = root["choices"][std::size_t{0}]["delta"];
  if (const auto text = delta["content"].as_string()) {
    answer.text += *text;
    if (!args_.json) {
      fmt::print("{}", *text);
      std::fflush(stdout);
    }
  }
  if (const Value usage = root["usage"]; usage.is_object()) {
    answer.prompt_tokens = usage["prompt_tokens"].as_int().value_or(0);
    answer.output_tokens = usage["completion_tokens"].as_int().value_or(0);
    answer.cached_tokens = usage["prompt_tokens_details"]["cached_tokens"].as_int().value_or(0);
  }
  return {};
}

base::Result<Answer> Conversation::ask(const std::string& question) {
  turns_.push_back({"user", question});
  const net::BlockingClient client(dialer_, {server_.host, server_.port});
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/chat/completions";
  request.headers = {{"authorization", "Bearer " + key_.reveal()},
                     {"content-type", "application/json"},
                     {"x-freehold-workload", "chat"}};
  request.body = request_body(args_, turns_);
  Answer answer;
  codec::sse::Parser parser;
  std::string refused;
  int status = 0;
  base::Status problem;
  const auto began = std::chrono::steady_clock::now();
  const auto since = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  const auto on_head = [&](const net::BlockingClient::Head& head) {
    status = head.status;
    for (const net::Header& header : head.headers) {
      if (header.name == "x-request-id") answer.request_id = header.value;
    }
  };
  const auto on_chunk = [&](std::string_view bytes) {
    if (status != 200) {
      refused += bytes;
      return true;
    }
    std::vector<codec::sse::Event> events;
    problem = parser.push(bytes, events);
    for (const codec::sse::Event& event : events) {
      if (problem) problem = on_event(event, answer);
    }
    if (!answer.text.empty() && answer.first_seconds == 0) answer.first_seconds = since();
    return problem.has_value();
  };
  const base::Result<int> ended = client.stream(request, kSilenceMs, on_head, on_chunk);
  answer.seconds = since();
  const bool whole = problem && ended && status == 200;
  if (!whole && !answer.text.empty() && !args_.json) fmt::print("\n");
  if (!problem) return std::unexpected(problem.error());
  if (!ended) return std::unexpected(ended.error());
  if (status == 401) return std::unexpected(refused_key(key_file_));
  if (status != 200) return std::unexpected(error_of(refused, status));
  turns_.push_back({"assistant", answer.text});
  return answer;
}

std::string price_text(Access& access, const std::string& request_id) {
  const auto body = access.call("GET", "/admin/v1/requests/" + request_id, "");
  if (!body) return {};
  const auto row = Document::parse(*body);
  if (!row) return {};
  std::string out;
  for (const Value cost : row->root()["api_costs"].elements()) {
    const auto amount = cost["micro_usd"].as_int();
    if (!amount) continue;
    const std::string model(cost["model"].as_string().value_or(""));
    out += (out.empty() ? "the same tokens at " : ", ") + model.substr(model.find('/') + 1) + " " +
           human_money(*amount);
  }
  return out;
}

void print_stats(const Answer& answer, Access& access) {
  const double decode = answer.seconds - answer.first_seconds;
  fmt::print("\n{} tokens in ({} from cache), {} out", answer.prompt_tokens, answer.cached_tokens,
             answer.output_tokens);
  if (answer.output_tokens > 1 && decode > 0) {
    fmt::print(", {:.0f} tokens/s", static_cast<double>(answer.output_tokens - 1) / decode);
  }
  fmt::print(", first after {:.2f} s\n", answer.first_seconds);
  if (const std::string price = price_text(access, answer.request_id); !price.empty())
    fmt::print("{}\n", price);
}

void print_json(const Answer& answer) {
  codec::json::Writer w;
  w.object().member("text", answer.text).member("request_id", answer.request_id);
  w.member("prompt_tokens", answer.prompt_tokens).member("cached_tokens", answer.cached_tokens);
  w.member("output_tokens", answer.output_tokens).member("seconds", answer.seconds).end_object();
  fmt::print("{}\n", w.str());
}

}  // namespace

int run_chat(const Config& config, const ChatArgs& args) {
  base::Result<std::unique_ptr<Access>> access = Access::open(config);
  const bool never_ran = !access && access.error().code == base::Code::NotFound;
  if (!access && !never_ran) return print_error(access.error(), args.json);
  if (never_ran || !(*access)->server_runs()) {
    return print_error(base::Error{base::Code::Unavailable,
                                   "no server runs on " + config.data_dir.string(),
                                   "start one with: freehold up",
                                   {},
                                   {}},
                       args.json);
  }
  base::Result<RunningServer> server = running_server(config);
  if (!server) return print_error(server.error(), args.json);
  base::Result<base::Secret> key = read_admin_key(config);
  if (!key) return print_error(key.error(), args.json);
  Conversation conversation(*std::move(server), config, *std::move(key), args);
  const bool once = !args.prompt.empty();
  std::string question = args.prompt;
  for (;;) {
    if (!once) {
      if (!args.json && stdout_is_terminal()) fmt::print("> ");
      std::fflush(stdout);
      if (!std::getline(std::cin, question)) break;
      if (question.empty()) continue;
    } else if (!args.json && (stdout_is_terminal() || args.stats)) {
      fmt::print("> {}\n", question);
    }
    const base::Result<Answer> answer = conversation.ask(question);
    if (!answer) {
      const int code = print_error(answer.error(), args.json);
      // Somebody at a terminal may ask again; a script must notice.
      const bool gone = code == kUnreachable && answer.error().reason != kBrokenOff;
      if (once || !stdin_is_terminal() || gone) return code;
      conversation.drop_last();
      continue;
    }
    if (args.json) {
      print_json(*answer);
    } else {
      fmt::print("\n");
      if (args.stats || !once) print_stats(*answer, **access);
    }
    if (once) break;
  }
  return kOk;
}

}  // namespace fh::cli
