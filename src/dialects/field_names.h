#pragma once
// The way back from the engine's terms to the client's. An engine knows a request in its canonical
// form and names what is wrong there: "tools.2.parameters", "response_format", "messages.4"
// (engine/engine.h). The client wrote its tools in another place and order, with tools in between
// that were left out, so it must hear the name of its own field.

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"

namespace fh::dialects {

struct FieldNames {
  struct ToolNames {
    std::string tool;    // the tool's own name, by which it is found again
    std::string place;   // "tools.3.function"
    std::string schema;  // "tools.3.function.parameters"
  };
  std::vector<ToolNames> tools;  // every tool that was read, in order
  std::string format = "response_format";
  std::string messages = "messages";
};

// Forgets the tools that are not offered, so that the n-th entry is the engine's n-th tool.
void keep_offered(FieldNames& names, const std::vector<domain::Tool>& offered);

// The same error with the client's name of the field, if it has one.
base::Error in_client_terms(const FieldNames& names, base::Error error);

}  // namespace fh::dialects
