#include "cli/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/os/file.h"
#include "base/os/listener.h"
#include "codec/toml.h"

namespace fh::cli {
namespace {

namespace toml = codec::toml;
using toml::Type;

constexpr toml::Key kSchema[] = {
    {"listen", Type::Strings},
    {"data", Type::String},
    {"ledger.durability", Type::String},
    {"log.format", Type::String},
    {"log.level", Type::String},
    {"models.default", Type::String},
    {"prices.book", Type::String},
    {"prices.compare", Type::Strings},
    {"engine.threads", Type::Int},
    {"engine.context_tokens", Type::Int},
    {"engine.sequences", Type::Int},
    {"engine.queue", Type::Int},
    {"limits.request_seconds", Type::Int},
    {"limits.drain_seconds", Type::Int},
    {"limits.keep_alive_seconds", Type::Int},
    {"limits.connections", Type::Int},
    {"limits.connections_per_address", Type::Int},
    {"limits.header_seconds", Type::Int},
    {"limits.write_seconds", Type::Int},
};

// What the same tokens are compared with unless the configuration says otherwise.
const std::vector<std::string> kCompareDefault = {"anthropic/claude-opus-5-5", "openai/gpt-6.1-sol",
                                                  "anthropic/claude-haiku-5-5"};

base::Error in_file(const std::filesystem::path& file, const base::Error& error) {
  base::Error out = error;
  out.code = base::Code::InvalidArgument;
  out.message = file.string() + ": " + error.message;
  if (out.hint.empty()) out.hint = "every key is in docs/configuration.md";
  return out;
}

// An integer of the file in [low, high] times `scale`, or the default that is in `out` already.
template <typename T>
base::Status take(toml::Value value, std::int64_t low, std::int64_t high, std::int64_t scale,
                  T& out) {
  const auto number = value.as_int();
  if (!number) return {};
  if (*number < low || *number > high) {
    return std::unexpected(value.error(fmt::format("must be {} to {}", low, high)));
  }
  out = static_cast<T>(*number * scale);
  return {};
}

template <typename T, std::size_t N>
base::Status choose(toml::Value value, const std::pair<std::string_view, T> (&choices)[N], T& out) {
  const auto text = value.as_string();
  if (!text) return {};
  std::string known;
  for (const auto& [name, choice] : choices) {
    if (name == *text) {
      out = choice;
      return {};
    }
    known += (known.empty() ? "" : ", ") + fmt::format("\"{}\"", name);
  }
  return std::unexpected(value.error("must be one of " + known));
}

base::Status read_engine(toml::Value root, EngineConfig& engine) {
  FH_TRY_VOID(take(root["threads"], 0, 1024, 1, engine.threads));
  FH_TRY_VOID(take(root["context_tokens"], 0, 4'000'000, 1, engine.context_tokens));
  FH_TRY_VOID(take(root["sequences"], 1, 64, 1, engine.sequences));
  return take(root["queue"], 1, 100'000, 1, engine.queue);
}

base::Status read_limits(toml::Value root, Config& config) {
  FH_TRY_VOID(take(root["request_seconds"], 1, 86'400, 1000, config.gateway.request_ms_max));
  FH_TRY_VOID(take(root["drain_seconds"], 0, 3'600, 1, config.drain_seconds));
  FH_TRY_VOID(take(root["keep_alive_seconds"], 1, 60, 1000, config.gateway.keep_alive_ms));
  FH_TRY_VOID(take(root["connections"], 1, 1'000'000, 1, config.server.connections_max));
  FH_TRY_VOID(take(root["connections_per_address"], 1, 1'000'000, 1,
                   config.server.connections_per_address_max));
  FH_TRY_VOID(take(root["header_seconds"], 1, 3'600, 1000, config.server.head_timeout_ms));
  return take(root["write_seconds"], 1, 3'600, 1000, config.server.write_timeout_ms);
}

base::Status read_listen(toml::Value value, Config& config) {
  for (const toml::Value& each : value.elements()) {
    const base::Status written = base::os::check_listen_address(std::string(*each.as_string()));
    if (written) continue;
    base::Error error = each.error("is not an address to listen on");
    error.hint = written.error().hint;
    return std::unexpected(std::move(error));
  }
  if (auto listen = value.as_strings()) config.listen = *std::move(listen);
  return {};
}

base::Status read_text(const std::string& text, Config& config) {
  FH_TRY(const toml::File file, toml::File::parse(text));
  FH_TRY_VOID(file.check(kSchema));
  const toml::Value root = file.root();
  FH_TRY_VOID(read_listen(root["listen"], config));
  if (const auto data = root["data"].as_string()) config.data_dir = std::string(*data);
  static constexpr std::pair<std::string_view, ledger::Durability> kDurability[] = {
      {"process", ledger::Durability::Process}, {"power", ledger::Durability::Power}};
  FH_TRY_VOID(choose(root["ledger"]["durability"], kDurability, config.durability));
  static constexpr std::pair<std::string_view, base::LogFormat> kFormat[] = {
      {"human", base::LogFormat::Human}, {"json", base::LogFormat::Json}};
  FH_TRY_VOID(choose(root["log"]["format"], kFormat, config.log_format));
  static constexpr std::pair<std::string_view, base::Level> kLevel[] = {
      {"debug", base::Level::Debug},
      {"info", base::Level::Info},
      {"warn", base::Level::Warn},
      {"error", base::Level::Error}};
  FH_TRY_VOID(choose(root["log"]["level"], kLevel, config.log_level));
  if (const auto name = root["models"]["default"].as_string()) config.default_model = *name;
  if (const auto book = root["prices"]["book"].as_string()) config.price_book = *book;
  if (auto compare = root["prices"]["compare"].as_strings()) {
    config.gateway.compare_models = *std::move(compare);
  }
  FH_TRY_VOID(read_engine(root["engine"], config.engine));
  return read_limits(root["limits"], config);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return out;
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

base::Result<net::HostPort> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  net::HostPort out;
  std::uint32_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      port > 65'535 || colon == 0) {
    return base::fail(base::Code::InvalidArgument,
                      fmt::format("`{}` is not an address to listen on", text),
                      "write HOST:PORT, for example 127.0.0.1:8484");
  }
  out.host = text.substr(0, colon);
  if (out.host.starts_with('[') && out.host.ends_with(']')) {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  out.port = static_cast<std::uint16_t>(port);
  return out;
}

base::Result<Config> load_config(const ConfigFlags& flags) {
  Config config;
  config.gateway.compare_models = kCompareDefault;
  std::string data = flags.data_dir.empty() ? from_environment("FREEHOLD_DATA") : flags.data_dir;
  std::filesystem::path default_data = data;
  if (data.empty()) {
    FH_TRY(default_data, base::os::user_data_dir());
  }
  std::filesystem::path file = flags.config_file;
  std::error_code ignored;
  if (file.empty() && std::filesystem::exists(default_data / "freehold.toml", ignored)) {
    file = default_data / "freehold.toml";
  }
  if (!file.empty()) {
    base::Result<std::string> text = base::os::read_file(file, 1024 * 1024);
    if (!text) {
      text.error().code = base::Code::InvalidArgument;
      text.error().hint = "the configuration is optional; --config FILE names one";
      return std::unexpected(std::move(text).error());
    }
    if (base::Status read = read_text(*text, config); !read) {
      return std::unexpected(in_file(file, read.error()));
    }
    config.file = file;
  }
  if (!data.empty() || config.data_dir.empty()) config.data_dir = default_data;
  const std::string listen =
      flags.listen.empty() ? from_environment("FREEHOLD_LISTEN") : flags.listen;
  if (!listen.empty()) config.listen = split_list(listen);
  if (config.listen.empty()) {
    return base::fail(base::Code::InvalidArgument, "no address to listen on is given",
                      "leave `listen` out for 127.0.0.1:8484");
  }
  for (const std::string& address : config.listen) {
    FH_TRY_VOID(base::os::check_listen_address(address));
  }
  config.script = flags.script;
  return config;
}

}  // namespace fh::cli
