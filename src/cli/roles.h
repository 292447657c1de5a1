#pragma once
// The process roles of the one binary, started by the supervisor with a hidden first argument.
// Arguments are
// "--name=value" pairs that only the supervisor writes; a wrong one is a defect, not a user's
// mistake.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fh::cli {

class RoleArgs {
 public:
  explicit RoleArgs(std::vector<std::string> args) : args_(std::move(args)) {}
  std::string text(std::string_view name) const;      // "" when absent
  std::uint64_t number(std::string_view name) const;  // 0 when absent
  const std::vector<std::string>& all() const { return args_; }

 private:
  std::vector<std::string> args_;
};

// Return the process's exit code.
int gateway_role_main(const RoleArgs& args);
int worker_role_main(const RoleArgs& args);

}  // namespace fh::cli
