#include "registry/manifest.h"

#include <fmt/format.h>

#include "codec/json.h"
#include "crypto/sha256.h"

namespace fh::registry {
namespace {

using codec::json::Document;
using codec::json::Value;
using codec::json::Writer;

constexpr std::string_view kSchema = "freehold.model/1";

std::string text_of(Value object, std::string_view key) {
  const auto text = object[key].as_string();
  return text ? std::string(*text) : std::string();
}

std::uint64_t count_of(Value object, std::string_view key) {
  const auto number = object[key].as_int();
  return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

void write_common(Writer& w, const InstalledModel& model) {
  w.member("sha256", model.sha256).member("size_bytes", model.size_bytes);
  w.member("architecture", model.architecture).member("context_length", model.context_length);
  w.member("parameters", model.parameters).member("quantization", model.quantization);
  w.member("kv_bytes_per_token", model.kv_bytes_per_token).member("licence", model.licence);
  w.member("republisher", model.republisher).member("source", model.source);
  w.member("tools_in_template", model.tools_in_template);
}

}  // namespace

std::string manifest_json(const InstalledModel& model) {
  Writer w;
  w.object().member("schema", kSchema).member("id", model.id);
  w.member("display_name", model.display_name).key("aliases").array();
  for (const std::string& alias : model.aliases) w.value(alias);
  w.end_array().member("imported_unix_ns", model.imported_unix_ns);
  write_common(w, model);
  w.end_object();
  return w.take() + "\n";
}

base::Result<InstalledModel> parse_manifest(std::string_view text) {
  FH_TRY(const Document document, Document::parse(text));
  const Value root = document.root();
  if (text_of(root, "schema") != kSchema) {
    return base::fail(base::Code::InvalidArgument,
                      fmt::format("it is not of the schema {}", kSchema));
  }
  InstalledModel model;
  model.id = text_of(root, "id");
  model.sha256 = text_of(root, "sha256");
  if (!valid_model_id(model.id) || !crypto::digest_from_hex(model.sha256)) {
    return base::fail(base::Code::InvalidArgument, "its id or sha256 is not valid");
  }
  model.display_name = text_of(root, "display_name");
  for (const Value alias : root["aliases"].elements()) {
    if (const auto name = alias.as_string()) model.aliases.emplace_back(*name);
  }
  model.size_bytes = count_of(root, "size_bytes");
  model.architecture = text_of(root, "architecture");
  model.context_length = count_of(root, "context_length");
  model.parameters = count_of(root, "parameters");
  model.kv_bytes_per_token = count_of(root, "kv_bytes_per_token");
  model.quantization = text_of(root, "quantization");
  model.licence = text_of(root, "licence");
  model.republisher = text_of(root, "republisher");
  model.source = text_of(root, "source");
  model.imported_unix_ns = root["imported_unix_ns"].as_int().value_or(0);
  model.tools_in_template = root["tools_in_template"].as_bool().value_or(false);
  return model;
}

std::string facts_json(const InstalledModel& model, std::uint64_t context_tokens,
                       std::uint64_t memory_bytes, const models::GgufFacts& facts) {
  const models::FitReport fit = models::fit_of(facts, context_tokens, memory_bytes);
  Writer w;
  w.object().member("display_name", model.display_name);
  write_common(w, model);
  w.member("served_context_tokens", context_tokens);
  w.member("fits", models::fit_name(fit.fit)).member("fit_text", fit.text);
  w.end_object();
  return w.take();
}

}  // namespace fh::registry
