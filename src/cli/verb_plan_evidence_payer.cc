// See verb_plan_evidence_payer.h.
#include "cli/verb_plan_evidence_payer.h"

#include <algorithm>
#include <iterator>

#include "importers/numbers.h"

namespace fh::cli {
namespace {

template <std::size_t kSize>
bool is_one_of(std::string_view word, const std::string_view (&words)[kSize]) {
  return std::ranges::find(words, word) != std::end(words);
}

}  // namespace

Payer payer_of_name(std::string_view name) {
  const std::string text = importers::lowered(name);
  const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  // Others that sell the same models, and what only speaks the same protocol.
  static constexpr std::string_view kOthers[] = {"azure",   "microsoft",  "vertex", "google",
                                                 "copilot", "openrouter", "cursor", "compat",
                                                 "custom",  "like",       "litellm"};
  if (std::ranges::any_of(kOthers, has)) return Payer::None;
  if (has("bedrock") || has("aws") || has("amazon")) return Payer::Bedrock;
  if (has("anthropic")) return Payer::Anthropic;
  return has("openai") ? Payer::OpenAi : Payer::None;
}

Payer payer_of_report(const domain::UsageRecord& record) {
  if (record.format == "anthropic-usage") return Payer::Anthropic;
  if (record.format == "anthropic-claude-code") return Payer::ClaudeCode;
  if (record.format == "openai-usage") return Payer::OpenAi;
  if (record.format == "copilot") return Payer::Copilot;
  if (record.format == "aws-cur" || record.format == "focus") return payer_of_name(record.provider);
  return Payer::None;
}

Payer payer_of_log(const domain::UsageRecord& record) {
  // Charged by the seat, by another account's credits, or not the user's own usage at all.
  static constexpr std::string_view kNever[] = {"cursor",         "copilot",       "copilot-api",
                                                "openrouter",     "azure-trace",   "burstgpt-trace",
                                                "mooncake-trace", "bailian-trace", "session-trace"};
  if (is_one_of(record.format, kNever)) return Payer::None;
  if (record.format == "copilot-otel") return Payer::Copilot;
  const Payer payer = payer_of_name(record.provider);
  const bool tool = record.format == "claude-code" && payer == Payer::Anthropic;
  return tool ? Payer::ClaudeCode : payer;
}

}  // namespace fh::cli
