#include "cli/roles.h"

#include <charconv>

namespace fh::cli {

std::string RoleArgs::text(std::string_view name) const {
  for (const std::string& arg : args_) {
    if (arg.size() > name.size() + 2 && arg.starts_with("--") &&
        arg.compare(2, name.size(), name) == 0 && arg[name.size() + 2] == '=') {
      return arg.substr(name.size() + 3);
    }
  }
  return {};
}

std::uint64_t RoleArgs::number(std::string_view name) const {
  const std::string value = text(name);
  std::uint64_t out = 0;
  std::from_chars(value.data(), value.data() + value.size(), out);
  return out;
}

}  // namespace fh::cli
