#pragma once
// OpenAI Chat Completions: what the server answers, whole and streamed.
//
// prompt_tokens includes cached tokens (unlike the Anthropic surface); `cache_read_input_tokens`
// and `cache_creation_input_tokens` are given beside it for clients that look for them.
//
// Stream: a chunk with the role, deltas (`reasoning_content`, `content`, `tool_calls`), a chunk
// with finish_reason, `data: [DONE]`. Usage: with include_usage in a chunk of its own without
// choices, and null before; else in the chunk with finish_reason, for clients that show it unasked.
// A failure is `data: {"error":...}` with no [DONE]. Keep-alive is the comment ": keepalive": some
// clients take a line that begins ": ping" for an end.

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "dialects/writer.h"
#include "domain/usage.h"

namespace fh::dialects::openai_chat {

struct ReplyContext {
  std::string id;     // "chatcmpl-..."
  std::string model;  // as requested
  std::int64_t created_unix_s = 0;
  bool include_usage = false;
  std::set<std::string> custom_tools;  // Request::custom_tools
  bool legacy_functions = false;       // Request::legacy_functions
  std::uint64_t prompt_tokens =
      0;  // as counted before the start; used if the backend gives no usage
};

std::unique_ptr<StreamWriter> make_stream_writer(ReplyContext context);
std::unique_ptr<BodyWriter> make_body_writer(ReplyContext context);

}  // namespace fh::dialects::openai_chat
