// The table of formats. The order matters only between formats that are equally sure.

#include <array>

#include "importers/anthropic_claude_code.h"
#include "importers/anthropic_cost.h"
#include "importers/anthropic_usage.h"
#include "importers/aws_cur.h"
#include "importers/azure_trace.h"
#include "importers/bedrock.h"
#include "importers/claude_code.h"
#include "importers/codex.h"
#include "importers/copilot.h"
#include "importers/copilot_api.h"
#include "importers/copilot_otel.h"
#include "importers/cursor.h"
#include "importers/focus.h"
#include "importers/freehold_ledger.h"
#include "importers/gemini_cli.h"
#include "importers/generic_csv.h"
#include "importers/importer.h"
#include "importers/litellm.h"
#include "importers/mooncake_trace.h"
#include "importers/openai_costs.h"
#include "importers/openai_usage.h"
#include "importers/openrouter.h"
#include "importers/session_trace.h"

namespace fh::importers {

std::span<const Format> formats() {
  static const std::array kFormats = {
      claude_code_format(),     codex_format(),          gemini_cli_format(),
      anthropic_usage_format(), anthropic_cost_format(), anthropic_claude_code_format(),
      openai_usage_format(),    openai_costs_format(),   bedrock_format(),
      freehold_ledger_format(), cursor_format(),         copilot_format(),
      copilot_api_format(),     copilot_otel_format(),   openrouter_format(),
      litellm_format(),         focus_format(),          aws_cur_format(),
      azure_trace_format(),     burstgpt_trace_format(), mooncake_trace_format(),
      bailian_trace_format(),   session_trace_format(),  generic_csv_format(),
  };
  return kFormats;
}

}  // namespace fh::importers
