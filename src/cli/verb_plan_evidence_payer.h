#pragma once
// Who charges for usage, as far as a plan must know it: a provider's own report holds the requests
// that this provider was asked, whichever tool, gateway or log tells of them, and no others.

#include <cstdint>
#include <string_view>

#include "domain/usage_record.h"

namespace fh::cli {

enum class Payer : std::uint8_t {
  None,  // nobody whose report could be here: never left out, leaves nothing out
  Anthropic,
  OpenAi,
  Bedrock,
  Copilot,
  ClaudeCode,  // Anthropic, asked by Claude Code: also told by a report of its own
};

// Of a bucket: whose requests it holds. None for sums that are no provider's report (a tool's, a
// gateway's, a table of anybody's).
Payer payer_of_report(const domain::UsageRecord& record);
// Of one request that a tool or a gateway wrote down: who was asked.
Payer payer_of_log(const domain::UsageRecord& record);
// By the name of an upstream or provider as people and gateways write them: "anthropic",
// "bedrock_converse", "openai-eu".
Payer payer_of_name(std::string_view name);

}  // namespace fh::cli
