// The control protocol: see control.h and docs/formats/control-protocol.md.

#include "cli/control.h"

#include <fmt/format.h>

#include <algorithm>

namespace fh::cli {
namespace {

using base::Code;
using base::fail;
using base::fail_field;
using base::Result;
using base::Status;

constexpr std::uint32_t kMagic = 0x54434846;  // "FHCT", little-endian
constexpr std::size_t kModelIdMax = 128;
constexpr std::size_t kFlagsMax = 16;
constexpr std::size_t kFlagBytesMax = 128;
constexpr std::size_t kDescriptionMax = 512;
constexpr std::size_t kReasonMax = 1024;
constexpr auto kLastCode = static_cast<std::uint16_t>(Code::Unauthenticated);

enum class Type : std::uint16_t {
  StartWorker = 1,
  StopWorker = 2,
  GatewayReady = 3,
  GatewayFailed = 4,
  Pong = 5,
  WorkerStarted = 16,
  WorkerExited = 17,
  Drain = 18,
  Ping = 19,
};

constexpr std::string_view kReservedFlags[] = {"role",    "model-file", "model-id",
                                               "context", "sequences",  "threads"};

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || extra.find(c) != std::string_view::npos;
  });
}

Status check_model_id(const std::string& id) {
  // A leading "-" could be taken for an option by a reader of process lists.
  if (id.empty() || id.size() > kModelIdMax || !all_of(id, "._:/@+-") || id.front() == '-') {
    return fail_field("model_id", "not a model id");
  }
  return {};
}

Status check_flag(const std::string& flag) {
  const std::size_t equals = flag.find('=');
  const bool shaped = flag.size() <= kFlagBytesMax && flag.starts_with("--") &&
                      equals != std::string::npos && equals > 2;
  if (!shaped) return fail_field("flags", "a worker flag is --name=value");
  const std::string_view name = std::string_view(flag).substr(2, equals - 2);
  const auto in_name = [](char c) { return is_lower(c) || c == '-'; };
  if (!std::all_of(name.begin(), name.end(), in_name) ||
      !all_of(std::string_view(flag).substr(equals + 1), "._,-")) {
    return fail_field("flags", "a worker flag has a character that is not allowed");
  }
  if (std::ranges::find(kReservedFlags, name) != std::end(kReservedFlags)) {
    return fail_field("flags", fmt::format("--{} is set by the supervisor alone", name));
  }
  return {};
}

Status check(const StartWorker& m) {
  FH_TRY_VOID(check_model_id(m.model_id));
  const auto hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  if (m.blob_sha256.size() != 64 || !std::ranges::all_of(m.blob_sha256, hex)) {
    return fail_field("blob_sha256", "not a SHA-256 in lower-case hexadecimal");
  }
  if (m.flags.size() > kFlagsMax) return fail_field("flags", "too many worker flags");
  for (const std::string& flag : m.flags) FH_TRY_VOID(check_flag(flag));
  return {};
}
Status check(const StopWorker& m) {
  return check_model_id(m.model_id);
}
Status check(const GatewayReady&) {
  return {};
}
// It is printed on a terminal, which takes some bytes for commands.
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
Status check(const GatewayFailed& m) {
  if (m.code > kLastCode) return fail_field("code", "not a code");
  for (const std::string* text : {&m.message, &m.hint}) {
    if (text->size() > kReasonMax) return fail_field("message", "too long");
    if (std::ranges::any_of(*text, is_control)) return fail_field("message", "not printable");
  }
  return {};
}
Status check(const WorkerStarted& m) {
  return check_model_id(m.model_id);
}
Status check(const WorkerExited& m) {
  if (m.description.size() > kDescriptionMax) return fail_field("description", "too long");
  return check_model_id(m.model_id);
}
Status check(const Drain&) {
  return {};
}
Status check(const Ping&) {
  return {};
}
Status check(const Pong&) {
  return {};
}

class Writer {
 public:
  explicit Writer(Type type) {
    u32(kMagic);
    u16(kControlVersion);
    u16(static_cast<std::uint16_t>(type));
  }
  void u16(std::uint16_t value) { integer(value, 2); }
  void u32(std::uint32_t value) { integer(value, 4); }
  void text(const std::string& value) {
    u16(static_cast<std::uint16_t>(value.size()));
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  void integer(std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  }
  std::string out_;
};

// Past the end it yields zeros and remembers; the caller asks once at the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return integer(4); }
  std::string text() {
    const std::size_t size = u16();
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  bool good() const { return good_; }
  bool at_end() const { return good_ && rest_.empty(); }

 private:
  std::uint32_t integer(std::size_t bytes) {
    if (rest_.size() < bytes) {
      good_ = false;
      return 0;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(bytes);
    return value;
  }
  std::string_view rest_;
  bool good_ = true;
};

std::string write(const StartWorker& m) {
  Writer w(Type::StartWorker);
  w.text(m.model_id);
  w.text(m.blob_sha256);
  w.u32(m.context_tokens);
  w.u32(m.sequences);
  w.u32(m.threads);
  w.u16(static_cast<std::uint16_t>(m.flags.size()));
  for (const std::string& flag : m.flags) w.text(flag);
  return w.take();
}
std::string write(const StopWorker& m) {
  Writer w(Type::StopWorker);
  w.text(m.model_id);
  return w.take();
}
std::string write(const GatewayReady&) {
  return Writer(Type::GatewayReady).take();
}
std::string write(const GatewayFailed& m) {
  Writer w(Type::GatewayFailed);
  w.u16(m.code);
  w.text(m.message);
  w.text(m.hint);
  return w.take();
}
std::string write(const WorkerStarted& m) {
  Writer w(Type::WorkerStarted);
  w.text(m.model_id);
  w.u32(m.pid);
  w.u32(m.generation);
  return w.take();
}
std::string write(const WorkerExited& m) {
  Writer w(Type::WorkerExited);
  w.text(m.model_id);
  w.u32(m.generation);
  w.text(m.description);
  w.u32(m.retry_ms);
  return w.take();
}
std::string write(const Drain& m) {
  Writer w(Type::Drain);
  w.u32(m.limit_ms);
  return w.take();
}
std::string write(const Ping&) {
  return Writer(Type::Ping).take();
}
std::string write(const Pong&) {
  return Writer(Type::Pong).take();
}

StartWorker read_start(Reader& r) {
  StartWorker m;
  m.model_id = r.text();
  m.blob_sha256 = r.text();
  m.context_tokens = r.u32();
  m.sequences = r.u32();
  m.threads = r.u32();
  const std::size_t flags = r.u16();
  for (std::size_t i = 0; i < flags && r.good(); ++i) m.flags.push_back(r.text());
  return m;
}

// Braced lists are evaluated from left to right, so fields are read in their order.
Result<ControlMessage> read(Type type, Reader& r) {
  switch (type) {
    case Type::StartWorker: return read_start(r);
    case Type::StopWorker: return StopWorker{r.text()};
    case Type::GatewayReady: return GatewayReady{};
    case Type::GatewayFailed: return GatewayFailed{r.u16(), r.text(), r.text()};
    case Type::WorkerStarted: return WorkerStarted{r.text(), r.u32(), r.u32()};
    case Type::WorkerExited: return WorkerExited{r.text(), r.u32(), r.text(), r.u32()};
    case Type::Drain: return Drain{r.u32()};
    case Type::Ping: return Ping{};
    case Type::Pong: return Pong{};
  }
  return fail(Code::InvalidArgument, "a control message of an unknown kind");
}

}  // namespace

GatewayFailed gateway_failed(const base::Error& error) {
  GatewayFailed out{static_cast<std::uint16_t>(error.code), error.message, error.hint};
  for (std::string* text : {&out.message, &out.hint}) {
    if (text->size() > kReasonMax) text->resize(kReasonMax);
    std::ranges::replace_if(*text, is_control, ' ');
  }
  return out;
}

Result<std::string> encode_control(const ControlMessage& message) {
  return std::visit(
      [](const auto& m) -> Result<std::string> {
        FH_TRY_VOID(check(m));
        return write(m);
      },
      message);
}

Result<ControlMessage> decode_control(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.u32() != kMagic) return fail(Code::InvalidArgument, "not a control message");
  if (const std::uint16_t version = reader.u16(); version != kControlVersion) {
    return fail(Code::InvalidArgument,
                fmt::format("a control message of version {}, not {}", version, kControlVersion));
  }
  const auto type = static_cast<Type>(reader.u16());
  FH_TRY(ControlMessage message, read(type, reader));
  if (!reader.at_end()) {
    return fail(Code::InvalidArgument, "a control message is too short or too long");
  }
  FH_TRY_VOID(std::visit([](const auto& m) { return check(m); }, message));
  return message;
}

ControlClient::ControlClient(Key, base::os::Fd socket, Callbacks callbacks)
    : socket_(std::move(socket)), callbacks_(std::move(callbacks)) {}

Result<std::unique_ptr<ControlClient>> ControlClient::start(base::os::Fd socket,
                                                            Callbacks callbacks) {
  auto client = std::make_unique<ControlClient>(Key(), std::move(socket), std::move(callbacks));
  ControlClient* self = client.get();
  FH_TRY(client->reader_,
         base::os::MessageReader::start(
             self->socket_.get(), kControlBytesMax,
             {[self](base::os::Message message) { self->receive(std::move(message)); },
              [self](Status why) { self->lose(std::move(why)); }}));
  return client;
}

Status ControlClient::start_worker(const StartWorker& request) {
  return send(request);
}

Status ControlClient::stop_worker(const std::string& model_id) {
  return send(StopWorker{model_id});
}

Status ControlClient::ready() {
  return send(GatewayReady{});
}

Status ControlClient::pong() {
  return send(Pong{});
}

Status ControlClient::send(const ControlMessage& message) {
  FH_TRY(const std::string bytes, encode_control(message));
  return base::os::send_message(socket_.get(), bytes);
}

void ControlClient::lose(Status why) {
  if (std::exchange(lost_, true) || !callbacks_.on_lost) return;
  callbacks_.on_lost(std::move(why));
}

void ControlClient::receive(base::os::Message message) {
  if (lost_) return;
  Result<ControlMessage> decoded = decode_control(message.bytes);
  if (!decoded) return lose(std::unexpected(std::move(decoded).error()));
  if (auto* started = std::get_if<WorkerStarted>(&*decoded)) {
    if (message.fds.size() != 1) {
      return lose(fail(Code::InvalidArgument, "a worker was announced without its socket"));
    }
    if (callbacks_.on_worker_started) {
      callbacks_.on_worker_started(std::move(*started), std::move(message.fds[0]));
    }
  } else if (auto* exited = std::get_if<WorkerExited>(&*decoded)) {
    if (callbacks_.on_worker_exited) callbacks_.on_worker_exited(std::move(*exited));
  } else if (const auto* drain = std::get_if<Drain>(&*decoded)) {
    if (callbacks_.on_drain) callbacks_.on_drain(*drain);
  } else if (std::holds_alternative<Ping>(*decoded)) {
    if (callbacks_.on_ping) callbacks_.on_ping();
  } else {
    lose(fail(Code::InvalidArgument, "the supervisor sent a gateway's message"));
  }
}

}  // namespace fh::cli
