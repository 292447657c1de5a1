// Fuzz target of the configuration reader: no file makes it crash, whatever the schema finds in it
// has a line and a message, and every value can be reached and named.

#include <cstdint>

#include "base/check.h"
#include "codec/toml.h"

namespace toml = fh::codec::toml;

namespace {

constexpr toml::Key kSchema[] = {
    {"data_dir", toml::Type::String},      {"server.listen", toml::Type::String},
    {"server.port", toml::Type::Int},      {"server.timeout_s", toml::Type::Double},
    {"server.allow", toml::Type::Strings}, {"models.*.path", toml::Type::String},
    {"models.*.slots", toml::Type::Int},   {"upstreams[].url", toml::Type::String},
    {"labels.*", toml::Type::Any},         {"extra", toml::Type::Table},
};

std::size_t visit(const toml::Value& value, int depth) {
  FH_CHECK(value.exists());
  FH_CHECK(depth < 2048);
  FH_CHECK(depth == 0 || !value.path().empty());
  std::size_t count = 1;
  for (const auto& [key, member] : value.members()) {
    FH_CHECK(value[key].exists());
    count += visit(member, depth + 1);
  }
  for (const toml::Value& element : value.elements()) count += visit(element, depth + 1);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = toml::File::parse(text, {.bytes_max = 64 * 1024});
  if (!file) {
    FH_CHECK(!file.error().message.empty());
    return 0;
  }
  visit(file->root(), 0);
  const auto problems = file->problems(kSchema);
  for (const fh::base::Error& problem : problems) {
    FH_CHECK(!problem.message.empty());
    FH_CHECK(!problem.field.empty());
  }
  FH_CHECK(file->check(kSchema).has_value() == problems.empty());
  return 0;
}
