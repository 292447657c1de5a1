// domain::Generation as JSON; see generation_json.h.
#include "engine/protocol/generation_json.h"

#include <utility>

#include "engine/protocol/fields.h"

namespace fh::engine::protocol {
namespace {

namespace d = domain;

void write_image(Writer& out, const d::ImagePart& image) {
  out.member("media_type", image.media_type).member("base64", image.base64);
  out.member("url", image.url);
}

struct PartWriter {
  Writer& out;
  void operator()(const d::TextPart& part) const {
    out.member("kind", "text").member("text", part.text);
  }
  void operator()(const d::ImagePart& part) const {
    out.member("kind", "image");
    write_image(out, part);
  }
  void operator()(const d::OpaquePart& part) const {
    out.member("kind", "opaque").member("name", part.kind);
  }
  void operator()(const d::ReasoningPart& part) const {
    out.member("kind", "reasoning").member("text", part.text);
    out.member("signature", part.signature);
  }
  void operator()(const d::ToolCallPart& part) const {
    out.member("kind", "tool_call").member("id", part.id).member("name", part.name);
    out.member("arguments", part.arguments_json);
  }
  void operator()(const d::ToolResultPart& part) const {
    out.member("kind", "tool_result").member("id", part.tool_call_id).member("name", part.name);
    out.member("text", part.text).member("is_error", part.is_error);
    out.key("images").array();
    for (const d::ImagePart& image : part.images) {
      out.object();
      write_image(out, image);
      out.end_object();
    }
    out.end_array();
  }
};

d::ImagePart read_image(FieldReader& in) {
  return {in.text("media_type"), in.text("base64"), in.text("url")};
}

d::ToolResultPart read_tool_result(FieldReader& in) {
  d::ToolResultPart part;
  part.tool_call_id = in.text("id");
  part.name = in.text("name");
  part.text = in.text("text");
  part.is_error = in.flag("is_error");
  for (const Value element : in.array("images")) {
    FieldReader image(element, "image");
    part.images.push_back(read_image(image));
    in.absorb(image.status());
  }
  return part;
}

d::Part read_part(FieldReader& in) {
  const std::string kind = in.text("kind");
  if (kind == "text") return d::TextPart{in.text("text")};
  if (kind == "image") return read_image(in);
  if (kind == "opaque") return d::OpaquePart{in.text("name")};
  if (kind == "reasoning") return d::ReasoningPart{in.text("text"), in.text("signature")};
  if (kind == "tool_call") {
    return d::ToolCallPart{in.text("id"), in.text("name"), in.text("arguments")};
  }
  if (kind == "tool_result") return read_tool_result(in);
  in.note_fault("kind", "is not a known value");
  return d::TextPart{};
}

void write_message(Writer& out, const d::Message& message) {
  out.object().member("role", static_cast<int>(message.role));
  out.key("parts").array();
  for (const d::Part& part : message.parts) {
    out.object();
    std::visit(PartWriter{out}, part);
    out.end_object();
  }
  out.end_array().end_object();
}

d::Message read_message(FieldReader& in) {
  d::Message message;
  message.role = static_cast<d::Role>(in.ordinal("role", 4));
  for (const Value element : in.array("parts")) {
    FieldReader part(element, "part");
    message.parts.push_back(read_part(part));
    in.absorb(part.status());
  }
  return message;
}

void write_tools(Writer& out, const d::Conversation& conversation) {
  out.key("tools").array();
  for (const d::Tool& tool : conversation.tools) {
    out.object().member("name", tool.name).member("description", tool.description);
    out.member("parameters", tool.parameters_json).member("strict", tool.strict).end_object();
  }
  out.end_array();
  const d::ToolChoice& choice = conversation.tool_choice;
  out.key("tool_choice").object().member("mode", static_cast<int>(choice.mode));
  out.member("name", choice.name).member("parallel", choice.parallel).end_object();
}

void read_tools(FieldReader& in, d::Conversation& conversation) {
  for (const Value element : in.array("tools")) {
    FieldReader tool(element, "tool");
    conversation.tools.push_back({tool.text("name"), tool.text("description"),
                                  tool.text("parameters"), tool.flag("strict")});
    in.absorb(tool.status());
  }
  FieldReader choice(in.object("tool_choice"), "tool_choice");
  conversation.tool_choice.mode = static_cast<d::ToolChoice::Mode>(choice.ordinal("mode", 4));
  conversation.tool_choice.name = choice.text("name");
  conversation.tool_choice.parallel = choice.flag("parallel");
  in.absorb(choice.status());
}

void write_conversation(Writer& out, const d::Conversation& conversation) {
  out.key("conversation").object().key("messages").array();
  for (const d::Message& message : conversation.messages) write_message(out, message);
  out.end_array();
  write_tools(out, conversation);
  out.key("format").object().member("kind", static_cast<int>(conversation.format.kind));
  out.member("schema", conversation.format.schema_json).end_object();
  const d::Reasoning& reasoning = conversation.reasoning;
  out.key("reasoning").object().member("mode", static_cast<int>(reasoning.mode));
  if (reasoning.budget_tokens) out.member("budget_tokens", *reasoning.budget_tokens);
  out.member("effort", reasoning.effort).end_object();
  out.end_object();
}

d::Conversation read_conversation(FieldReader& in) {
  d::Conversation conversation;
  for (const Value element : in.array("messages")) {
    FieldReader message(element, "message");
    conversation.messages.push_back(read_message(message));
    in.absorb(message.status());
  }
  read_tools(in, conversation);
  FieldReader format(in.object("format"), "format");
  conversation.format.kind = static_cast<d::OutputFormat::Kind>(format.ordinal("kind", 3));
  conversation.format.schema_json = format.text("schema");
  in.absorb(format.status());
  FieldReader reasoning(in.object("reasoning"), "reasoning");
  conversation.reasoning.mode = static_cast<d::Reasoning::Mode>(reasoning.ordinal("mode", 3));
  conversation.reasoning.budget_tokens = reasoning.optional_u32("budget_tokens");
  conversation.reasoning.effort = reasoning.text("effort");
  in.absorb(reasoning.status());
  return conversation;
}

void write_optional(Writer& out, std::string_view key, std::optional<double> value) {
  if (!value) return;
  out.key(key);
  write_number(out, *value);
}

void write_sampling(Writer& out, const d::Sampling& sampling) {
  out.key("sampling").object();
  write_optional(out, "temperature", sampling.temperature);
  write_optional(out, "top_p", sampling.top_p);
  if (sampling.top_k) out.member("top_k", *sampling.top_k);
  write_optional(out, "min_p", sampling.min_p);
  write_optional(out, "presence_penalty", sampling.presence_penalty);
  write_optional(out, "frequency_penalty", sampling.frequency_penalty);
  write_optional(out, "repeat_penalty", sampling.repeat_penalty);
  if (sampling.seed) out.member("seed", *sampling.seed);
  out.key("logit_bias").array();
  for (const auto& [token, bias] : sampling.logit_bias) {
    out.object().member("token", static_cast<std::int64_t>(token)).key("bias");
    write_number(out, bias);
    out.end_object();
  }
  out.end_array().end_object();
}

d::Sampling read_sampling(FieldReader& in) {
  d::Sampling sampling;
  sampling.temperature = in.optional_number("temperature");
  sampling.top_p = in.optional_number("top_p");
  sampling.top_k = in.optional_i32("top_k");
  sampling.min_p = in.optional_number("min_p");
  sampling.presence_penalty = in.optional_number("presence_penalty");
  sampling.frequency_penalty = in.optional_number("frequency_penalty");
  sampling.repeat_penalty = in.optional_number("repeat_penalty");
  sampling.seed = in.optional_u64("seed");
  for (const Value element : in.array("logit_bias")) {
    FieldReader bias(element, "logit_bias");
    const auto token = bias.optional_i32("token");
    if (!token) bias.note_fault("token", "is missing");
    sampling.logit_bias.emplace_back(token.value_or(0), bias.number("bias"));
    in.absorb(bias.status());
  }
  return sampling;
}

}  // namespace

void write_generation(Writer& out, const d::Generation& generation) {
  out.object();
  write_conversation(out, generation.conversation);
  write_sampling(out, generation.sampling);
  if (generation.max_tokens) out.member("max_tokens", *generation.max_tokens);
  out.key("stop").array();
  for (const std::string& stop : generation.stop) out.value(stop);
  out.end_array();
  out.member("logprobs", generation.logprobs).member("top_logprobs", generation.top_logprobs);
  out.end_object();
}

base::Result<d::Generation> read_generation(Value value) {
  d::Generation generation;
  FieldReader in(value, "generation");
  FieldReader conversation(in.object("conversation"), "conversation");
  generation.conversation = read_conversation(conversation);
  in.absorb(conversation.status());
  FieldReader sampling(in.object("sampling"), "sampling");
  generation.sampling = read_sampling(sampling);
  in.absorb(sampling.status());
  generation.max_tokens = in.optional_u32("max_tokens");
  for (const Value element : in.array("stop")) {
    const auto stop = element.as_string();
    if (!stop) in.note_fault("stop", "holds something that is not a string");
    generation.stop.emplace_back(stop.value_or(""));
  }
  generation.logprobs = in.flag("logprobs");
  generation.top_logprobs = in.u32("top_logprobs");
  FH_TRY_VOID(in.status());
  return generation;
}

}  // namespace fh::engine::protocol
