#pragma once
// Anthropic Messages: what a client sends to POST /v1/messages and /v1/messages/count_tokens.
// Wire format: the public API reference, versions 2023-06-01 and 2026-10-21 (the bodies are the
// same).
//
// For the local conversation two things are left out on purpose. The billing line that a coding
// client puts first in `system` changes per session and says nothing to a model; with it no prompt
// prefix would ever be reused. And `cache_control` marks: they move between turns; only the longest
// lifetime asked for is kept, as a hint. A request relayed to another server is relayed as
// received, not from this form.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dialects/demands.h"
#include "dialects/field_names.h"
#include "domain/conversation.h"

namespace fh::dialects::anthropic {

enum class Retention : std::uint8_t { Unasked, Minutes5, Hour1 };

// Facts that the hosted service refuses or treats specially and that this server otherwise ignores.
struct StrictFacts {
  bool sampling_given = false;         // temperature, top_p or top_k is present
  bool document_in_assistant = false;  // a document block in an assistant message
  bool citations_on_user_text = false;
};

struct Request {
  std::string model;  // as sent; dialects/model_names.h gives the registry's name
  domain::Generation generation;
  bool stream = false;
  std::string user_id;       // metadata.user_id, may be empty
  std::string session_hint;  // the session inside metadata.user_id, or the whole of it
  Retention retention = Retention::Unasked;
  bool diagnostics_asked = false;
  std::string previous_message_id;  // of diagnostics; empty on the first turn
  bool thinking_omitted = false;    // thinking.display == "omitted"
  std::string service_tier;
  std::vector<std::string> ignored_tools;  // server tools and the like, by type
  std::vector<std::string>
      deferred_tools;  // not offered to the model until a tool result names them
  StrictFacts strict;
  Demands demands;
  FieldNames names;
};

struct ParseOptions {
  bool for_count = false;  // max_tokens is not needed
};

// Errors: InvalidArgument with `field`; malformed JSON names the byte.
base::Result<Request> parse_request(std::string_view body, const ParseOptions& options = {});

// The hosted service's refusals under `version` ("2026-10-21"), for parity tests. Never applied by
// default.
base::Status check_strict(const Request& request, std::string_view version);

// The hosted service's refusal when prompt and max_tokens together exceed the window. Here
// max_tokens is clamped instead; used in strict mode only.
base::Error strict_limit_overflow(std::uint64_t prompt_tokens, std::uint64_t max_tokens,
                                  std::uint64_t context_tokens);

// `system` without its billing line: a first line "x-anthropic-billing-header: ..." is cut with its
// line end.
std::string_view strip_billing_line(std::string_view system);
bool is_billing_block(std::string_view text);

// {"input_tokens":N}
std::string count_tokens_body(std::uint64_t input_tokens);

}  // namespace fh::dialects::anthropic
