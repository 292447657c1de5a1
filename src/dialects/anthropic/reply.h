#pragma once
// Anthropic Messages: what the server answers to POST /v1/messages, whole and streamed.
//
// Token identity of this surface: the whole prompt = input_tokens + cache_creation_input_tokens +
// cache_read_input_tokens. (The OpenAI surfaces count cached tokens inside prompt_tokens.)
//
// Stream: message_start, blocks strictly one after the other (start, deltas, stop), message_delta
// with cumulative usage, message_stop; `event: ping` at any time; `event: error` ends it early.
// There is no [DONE].

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dialects/anthropic/request.h"
#include "dialects/writer.h"
#include "domain/usage.h"

namespace fh::dialects::anthropic {

// Why a prompt prefix of the previous turn could not be reused.
struct CacheMiss {
  std::string type;  // model_changed, system_changed, tools_changed, messages_changed,
                     // previous_message_not_found, unavailable
  // Of the four _changed types: at most this many; the writer of a whole answer takes off what was
  // read from the cache all the same.
  std::uint64_t missed_input_tokens = 0;
};

struct ReplyContext {
  std::string message_id;               // "msg_..."
  std::string request_id;               // "req_...", for error events
  std::string model;                    // as requested
  std::uint64_t prompt_tokens = 0;      // as counted before the start
  std::uint64_t cache_read_tokens = 0;  // estimate, corrected at the end
  bool thinking_model = false;          // kind of the block that a stall beat opens
  bool omit_thinking = false;           // send thinking blocks without their text
  bool diagnostics_asked = false;
  std::optional<CacheMiss> cache_miss;
};

std::unique_ptr<StreamWriter> make_stream_writer(ReplyContext context);
std::unique_ptr<BodyWriter> make_body_writer(ReplyContext context);

// Non-empty, the same for the same thinking text. It proves nothing; clients demand that it exists.
std::string thinking_signature(std::string_view thinking);

}  // namespace fh::dialects::anthropic
