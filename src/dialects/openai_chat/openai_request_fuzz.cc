// Any bytes as a Chat Completions request body: parsed or refused with words, never anything else;
// a request that was taken holds what its reader promises.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "dialects/openai_chat/errors.h"
#include "dialects/openai_chat/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto request = fh::dialects::openai_chat::parse_request(body);
  if (!request) {
    FH_CHECK(request.error().code == fh::base::Code::InvalidArgument);
    FH_CHECK(!request.error().message.empty());
    FH_CHECK(fh::dialects::openai_chat::http_status(request.error()) == 400);
    FH_CHECK(!fh::dialects::openai_chat::error_body(request.error()).empty());
    return 0;
  }
  FH_CHECK(!request->model.empty());
  const auto& generation = request->generation;
  FH_CHECK(!generation.sampling.top_p || *generation.sampling.top_p > 0);
  FH_CHECK(generation.logprobs || generation.top_logprobs == 0);
  for (const auto& message : generation.conversation.messages) {
    for (const auto& part : message.parts) {
      const auto* call = std::get_if<fh::domain::ToolCallPart>(&part);
      FH_CHECK(call == nullptr || call->arguments_json.starts_with('{'));
      const bool result = std::holds_alternative<fh::domain::ToolResultPart>(part);
      FH_CHECK(result == (message.role == fh::domain::Role::Tool));
    }
  }
  return 0;
}
