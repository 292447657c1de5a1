#pragma once
// The one conversation type. Every wire dialect maps its request to it, every backend takes it.
// Pure values. Order is kept exactly as received: messages stay in place (a system message in the
// middle stays in the middle), JSON texts (tool schemas, tool arguments) are kept as the bytes that
// were received, so that the rendered prompt is byte-stable: same conversation, any dialect, any
// day, same tokens.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fh::domain {

enum class Role : std::uint8_t { System, User, Assistant, Tool };

struct TextPart {
  std::string text;
  bool operator==(const TextPart&) const = default;
};
// An image: either inline (media_type + base64) or a URL that this server will not fetch.
struct ImagePart {
  std::string media_type;
  std::string base64;
  std::string url;
  bool operator==(const ImagePart&) const = default;
};
// A document or other content type that a text model cannot take; kind is the wire name
// ("document", "input_audio").
struct OpaquePart {
  std::string kind;
  bool operator==(const OpaquePart&) const = default;
};
// What the assistant thought; the signature is opaque and only echoed.
struct ReasoningPart {
  std::string text;
  std::string signature;
  bool operator==(const ReasoningPart&) const = default;
};
struct ToolCallPart {
  std::string id;
  std::string name;
  std::string arguments_json;  // one JSON object as text, key order as received
  bool operator==(const ToolCallPart&) const = default;
};
// Result of one tool call. `text` is the concatenated text content; images inside are listed apart.
struct ToolResultPart {
  std::string tool_call_id;
  std::string name;  // may be empty
  std::string text;
  bool is_error = false;
  std::vector<ImagePart> images;
  bool operator==(const ToolResultPart&) const = default;
};
using Part =
    std::variant<TextPart, ImagePart, OpaquePart, ReasoningPart, ToolCallPart, ToolResultPart>;

// A Tool message holds ToolResultParts only. Neighbours of the same role are legal and stay
// separate.
struct Message {
  Role role = Role::User;
  std::vector<Part> parts;
  bool operator==(const Message&) const = default;
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters_json;  // JSON schema as text, as received; "{}" if none was given
  bool strict = false;
  bool operator==(const Tool&) const = default;
};

struct ToolChoice {
  enum class Mode : std::uint8_t { Auto, None, Required, Named };
  Mode mode = Mode::Auto;
  std::string name;      // Named only
  bool parallel = true;  // false: at most one call
  bool operator==(const ToolChoice&) const = default;
};

struct OutputFormat {
  enum class Kind : std::uint8_t { Text, JsonObject, JsonSchema };
  Kind kind = Kind::Text;
  std::string schema_json;  // JsonSchema only, as received
  bool operator==(const OutputFormat&) const = default;
};

// Whether the model should think before it answers. Default leaves it to the model's template.
struct Reasoning {
  enum class Mode : std::uint8_t { Default, Off, On };
  Mode mode = Mode::Default;
  std::optional<std::uint32_t> budget_tokens;
  std::string effort;  // "", "low", "medium", "high", ...
  bool operator==(const Reasoning&) const = default;
};

struct Conversation {
  std::vector<Message> messages;
  std::vector<Tool> tools;
  ToolChoice tool_choice;
  OutputFormat format;
  Reasoning reasoning;
  bool operator==(const Conversation&) const = default;
};

// Unset means the model's or server's default. Ranges are checked by the dialects.
struct Sampling {
  std::optional<double> temperature;        // >= 0; 0 = greedy
  std::optional<double> top_p;              // (0, 1]
  std::optional<std::int32_t> top_k;        // >= 0; 0 = off
  std::optional<double> min_p;              // [0, 1]
  std::optional<double> presence_penalty;   // [-2, 2]
  std::optional<double> frequency_penalty;  // [-2, 2]
  std::optional<double> repeat_penalty;     // > 0; 1 = off
  std::optional<std::uint64_t> seed;
  std::vector<std::pair<std::int32_t, double>> logit_bias;  // token id, bias in [-100, 100]
  bool operator==(const Sampling&) const = default;
};

// Everything a backend needs to answer, apart from who asked.
struct Generation {
  Conversation conversation;
  Sampling sampling;
  std::optional<std::uint32_t>
      max_tokens;  // unset: limited by the context window only; 0: prefill, no output
  std::vector<std::string> stop;  // matched text is not emitted
  bool logprobs = false;
  std::uint32_t top_logprobs = 0;  // 0..20
  bool operator==(const Generation&) const = default;
};

}  // namespace fh::domain
