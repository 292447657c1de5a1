#pragma once
// Payloads of the worker protocol as JSON: docs/formats/worker-protocol.md. Every write_x / parse_x
// pair is exact: parse_x(write_x(v)) == v for every value. Parsers take nothing on trust (types,
// ranges, enumerators, UTF-8) and answer DataLoss naming the member; members that they do not know
// are ignored.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/conversation.h"
#include "domain/event.h"
#include "engine/engine.h"

namespace fh::engine::protocol {

// First frame of a worker. Both sides are the same binary; another version is refused.
struct Hello {
  std::uint32_t version = 0;
  std::int64_t pid = 0;
  std::string lock;  // how far the worker has locked itself in, for people: "seccomp, landlock 4"
  bool operator==(const Hello&) const = default;
};

std::string write_hello(const Hello& hello);
base::Result<Hello> parse_hello(std::string_view payload);

std::string write_info(const ModelInfo& info);
base::Result<ModelInfo> parse_info(std::string_view payload);

std::string write_status(const EngineStatus& status);
base::Result<EngineStatus> parse_status(std::string_view payload);

std::string write_prepare(const PrepareRequest& request);
base::Result<PrepareRequest> parse_prepare(std::string_view payload);

// The ticket is not part of the payload: the frame's id stands for it.
std::string write_prepared(const Prepared& prepared);
base::Result<Prepared> parse_prepared(std::string_view payload);

std::string write_error(const base::Error& error);
base::Result<base::Error> parse_error(std::string_view payload);

std::string write_event(const domain::Event& event);
base::Result<domain::Event> parse_event(std::string_view payload);

}  // namespace fh::engine::protocol
