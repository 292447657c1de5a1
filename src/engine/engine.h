#pragma once
// The seam between the gateway and whatever produces tokens: a locked worker process running
// llama.cpp, the scripted engine of the tests, later an upstream server. Nothing above may tell
// them apart except by declared capabilities.
//
// Life of a request:
//   prepare()  renders the template, counts tokens, checks that it can run: every deterministic
//   refusal (overflow,
//              image to a text model, a schema that cannot be enforced) comes from here, before any
//              byte is answered. On success the caller holds a ticket.
//              Returns the number of the question for cancel(), 0 if there is nothing to give up;
//              the ticket will have that number too.
//   start()    queues the ticket; events arrive until exactly one terminal event.
//   cancel()   before the answer of prepare(): gives the question up; its answer is an error then,
//              Cancelled, unless it was on its way, and no ticket is held in either case.
//              Before start: releases the ticket. After: the stream ends within one step with
//              Finished{ClientAbort} or, if it raced, with its own terminal event. Unknown tickets
//              are ignored.
// Threads: all methods may be called from any thread and never block on model work. Callbacks come
// on an engine thread (for the simulation: the only thread), in order per ticket; they must be
// short and must not throw. After cancel() returns before start(), no callback for the ticket
// comes.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"
#include "domain/event.h"
#include "engine/backlog.h"

namespace fh::engine {

using Ticket = std::uint64_t;

enum class ModelState : std::uint8_t { Stopped, Starting, Ready, Failed };

struct ModelInfo {
  std::string id;                    // name clients use
  std::uint32_t context_tokens = 0;  // what one request can really use; 0 = not known yet
  bool tools = false;                // the template has a tool format
  bool images = false;
  bool reasoning = false;
  std::uint32_t sequences_max = 0;  // requests running at once
  ModelState state = ModelState::Stopped;
  std::string detail;  // why Failed, or progress while Starting
};

struct EngineStatus {
  std::uint32_t running = 0;
  std::uint32_t queued = 0;
  std::uint32_t queue_max = 0;
  std::uint64_t kv_tokens_used = 0;
  std::uint64_t kv_tokens_max = 0;
  std::uint64_t restarts = 0;  // worker deaths since the server started
};

struct PrepareRequest {
  std::string request_id;    // for logs only
  std::string tenant;        // cache isolation: prefixes are shared within one tenant only
  std::string session_hint;  // e.g. a coding client's session; may be empty
  domain::Generation generation;
  bool count_only = false;  // token count wanted; no ticket is made
};

struct Prepared {
  Ticket ticket = 0;
  std::uint64_t prompt_tokens = 0;
  std::uint32_t context_tokens = 0;
  std::uint32_t max_output_tokens = 0;  // after clamping to the room left
};

using PrepareFn = std::function<void(base::Result<Prepared>)>;
using EventFn = std::function<void(domain::Event)>;

class Engine {
 public:
  virtual ~Engine() = default;
  virtual ModelInfo info() const = 0;
  virtual EngineStatus status() const = 0;
  // Errors: InvalidArgument (field set: "tools.N.parameters" or ".name", "tool_choice",
  // "response_format", "messages", "messages.N", "logit_bias"; the dialects turn it into the
  // client's own name), OutOfRange reason "context_length_exceeded" (message: the
  // two counts as
  // "<prompt> <context>" are in ContextOverflow below), Unavailable (worker down),
  // ResourceExhausted (queue full).
  virtual Ticket prepare(PrepareRequest request, PrepareFn done) = 0;
  virtual void start(Ticket ticket, EventFn on_event) = 0;
  virtual void cancel(Ticket ticket) = 0;
  // Where the consumer counts what it holds of this engine's events; null: nobody looks at it.
  virtual std::shared_ptr<Backlog> backlog() const { return nullptr; }
};

// The one form of the overflow error: code OutOfRange, reason "context_length_exceeded", message
// "<prompt_tokens> <tool_tokens> <context_tokens>" in decimal; dialects turn it into their
// canonical sentence.
struct ContextOverflow {
  std::uint64_t prompt_tokens = 0;  // whole prompt, tools included
  std::uint64_t tool_tokens = 0;    // of these, what the tool definitions take (0 = not known)
  std::uint64_t context_tokens = 0;
};
base::Error make_overflow(const ContextOverflow& overflow);
std::optional<ContextOverflow> overflow_of(const base::Error& error);

}  // namespace fh::engine
