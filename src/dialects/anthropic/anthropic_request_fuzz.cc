// Any bytes as an Anthropic request body: parsed or refused with words, never anything else; a
// request that was taken holds what its reader promises.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "dialects/anthropic/errors.h"
#include "dialects/anthropic/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const bool for_count : {false, true}) {
    const auto request = fh::dialects::anthropic::parse_request(body, {.for_count = for_count});
    if (!request) {
      FH_CHECK(request.error().code == fh::base::Code::InvalidArgument);
      FH_CHECK(!request.error().message.empty());
      FH_CHECK(fh::dialects::anthropic::http_status(request.error()) == 400);
      FH_CHECK(!fh::dialects::anthropic::error_body(request.error(), "req_1").empty());
      continue;
    }
    FH_CHECK(!request->model.empty());
    FH_CHECK(for_count || request->generation.max_tokens.has_value());
    const auto& conversation = request->generation.conversation;
    for (const auto& message : conversation.messages) {
      if (message.role != fh::domain::Role::Tool) continue;
      FH_CHECK(message.parts.size() == 1);
      FH_CHECK(std::holds_alternative<fh::domain::ToolResultPart>(message.parts[0]));
    }
  }
  return 0;
}
