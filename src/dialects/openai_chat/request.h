#pragma once
// OpenAI Chat Completions: what a client sends to POST /v1/chat/completions. Wire format: the
// public API reference, with the additions that local servers and their clients share (top_k,
// min_p, repeat_penalty, chat_template_kwargs, enable_thinking, reasoning_content).
//
// Taken as well, because clients send them: tools in the flat shape of the Responses API; a
// Responses `input` in place of `messages`; the older functions/function_call. Custom tools become
// functions with one string argument `input` (dialects/custom_input.h) and are turned back in the
// reply.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dialects/demands.h"
#include "dialects/field_names.h"
#include "domain/conversation.h"

namespace fh::dialects::openai_chat {

struct Request {
  std::string model;  // as sent; dialects/model_names.h gives the registry's name
  domain::Generation generation;
  bool stream = false;
  bool include_usage = false;          // stream_options.include_usage
  std::set<std::string> custom_tools;  // calls of these go back as custom calls
  bool legacy_functions = false;       // calls go back as `function_call`
  std::string user;                    // user or safety_identifier, may be empty
  std::string session_hint;            // prompt_cache_key
  std::string service_tier;
  std::vector<std::string> ignored_tools;  // hosted tools, by type
  Demands demands;
  FieldNames names;
};

// Errors: InvalidArgument with `field`; malformed JSON names the byte.
base::Result<Request> parse_request(std::string_view body);

}  // namespace fh::dialects::openai_chat
