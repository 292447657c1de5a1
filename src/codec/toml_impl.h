#pragma once
// How a configuration file is kept after reading; private to codec/toml*.cc.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "codec/toml.h"

namespace fh::codec::toml {

struct Node {
  Type type = Type::Table;
  std::uint32_t parent = 0;  // the root is its own parent
  std::string key;           // empty for elements of arrays and the root
  std::size_t line = 0;      // of the key, or of the element
  std::size_t column = 0;    // members only
  std::variant<std::monostate, bool, std::int64_t, double, std::string> scalar;
  std::vector<std::uint32_t> children;
};

struct File::Impl {
  std::vector<Node> nodes;  // nodes[0] is the root table
};

}  // namespace fh::codec::toml
