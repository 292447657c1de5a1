#pragma once
// What the surfaces' requests have in common once they are read: the canonical form of a
// conversation. The same content sent through two surfaces gives the same Conversation:
//   * empty text makes no part, a system message without text no message;
//   * a string and one text block are the same;
//   * every tool result is a Tool message of its own, in the order received;
//   * tool ids are in their internal form (ids.h); a result carries the name of its call;
//   * JSON texts are the bytes received.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"

namespace fh::dialects {

// Appends a text part unless it is empty.
void append_text(std::vector<domain::Part>& parts, std::string text);

// An image from a URL as clients write it: "data:image/png;base64,..." is split, anything else
// stays a URL. nullopt: a data URL that is not base64.
std::optional<domain::ImagePart> image_from_url(std::string_view url);

// `arguments` as a client echoes them: one JSON object as text. Blank becomes {}; what is not an
// object (models err, clients echo) becomes {"input":"<the text>"}.
std::string arguments_object(std::string_view arguments);

// Names of tool results from the calls they answer.
void link_tool_results(domain::Conversation& conversation);

// Images in messages; those inside tool results are asked for apart.
bool has_images(const domain::Conversation& conversation);
bool has_tool_result_images(const domain::Conversation& conversation);
// The wire name of the first part that no text model can take, if any.
std::optional<std::string> opaque_kind(const domain::Conversation& conversation);
inline bool has_opaque(const domain::Conversation& conversation) {
  return opaque_kind(conversation).has_value();
}
// For models that read text only: each image inside a tool result becomes a line of text that says
// so, so that a coding session whose tool once returned a picture goes on.
void replace_tool_result_images(domain::Conversation& conversation);

// The tool choice can be met by the tools given. Errors at `field`.
base::Status check_tool_choice(const domain::Conversation& conversation, std::string field);

}  // namespace fh::dialects
