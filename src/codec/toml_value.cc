// Views into a configuration file that was read.

#include <algorithm>

#include "codec/toml_impl.h"

namespace fh::codec::toml {
namespace {

const Node& node_of(const void* file, std::uint32_t node) {
  return static_cast<const File::Impl*>(file)->nodes[node];
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

}  // namespace

File::File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;
Value File::root() const {
  return impl_ ? Value(impl_.get(), 0) : Value();
}

Type Value::type() const {
  return exists() ? node_of(file_, node_).type : Type::Any;
}

std::optional<bool> Value::as_bool() const {
  if (!exists() || type() != Type::Bool) return {};
  return std::get<bool>(node_of(file_, node_).scalar);
}

std::optional<std::int64_t> Value::as_int() const {
  if (!exists() || type() != Type::Int) return {};
  return std::get<std::int64_t>(node_of(file_, node_).scalar);
}

std::optional<double> Value::as_double() const {
  if (const auto integer = as_int()) return static_cast<double>(*integer);
  if (!exists() || type() != Type::Double) return {};
  return std::get<double>(node_of(file_, node_).scalar);
}

std::optional<std::string_view> Value::as_string() const {
  if (!exists() || type() != Type::String) return {};
  return std::get<std::string>(node_of(file_, node_).scalar);
}

std::optional<std::vector<std::string>> Value::as_strings() const {
  if (!is_array()) return {};
  std::vector<std::string> out;
  for (const Value& element : elements()) {
    const auto text = element.as_string();
    if (!text) return {};
    out.emplace_back(*text);
  }
  return out;
}

Value Value::operator[](std::string_view key) const {
  if (!is_table()) return {};
  for (const std::uint32_t child : node_of(file_, node_).children) {
    if (node_of(file_, child).key == key) return {file_, child};
  }
  return {};
}

Value Value::operator[](std::size_t index) const {
  if (!is_array() || index >= size()) return {};
  return {file_, node_of(file_, node_).children[index]};
}

std::size_t Value::size() const {
  return exists() ? node_of(file_, node_).children.size() : 0;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  std::vector<std::pair<std::string_view, Value>> out;
  if (!is_table()) return out;
  for (const std::uint32_t child : node_of(file_, node_).children) {
    out.emplace_back(node_of(file_, child).key, Value(file_, child));
  }
  return out;
}

std::vector<Value> Value::elements() const {
  std::vector<Value> out;
  if (!is_array()) return out;
  for (const std::uint32_t child : node_of(file_, node_).children) {
    out.push_back(Value(file_, child));
  }
  return out;
}

std::size_t Value::line() const {
  return exists() ? node_of(file_, node_).line : 0;
}

std::string Value::path() const {
  if (!exists() || node_ == 0) return {};
  std::vector<std::uint32_t> chain;
  for (std::uint32_t at = node_; at != 0; at = node_of(file_, at).parent) chain.push_back(at);
  std::string out;
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    const Node& node = node_of(file_, *it);
    const Node& parent = node_of(file_, node.parent);
    if (parent.type == Type::Array) {
      const auto index = std::ranges::find(parent.children, *it) - parent.children.begin();
      out.append("[").append(std::to_string(index)).append("]");
      continue;
    }
    if (!out.empty()) out.push_back('.');
    if (is_bare_key(node.key)) {
      out.append(node.key);
    } else {
      out.append("\"").append(node.key).append("\"");
    }
  }
  return out;
}

base::Error Value::error(std::string_view what) const {
  base::Error error;
  error.code = base::Code::InvalidArgument;
  error.field = path();
  error.message = "`" + error.field + "` in line " + std::to_string(line()) + " ";
  error.message.append(what);
  return error;
}

}  // namespace fh::codec::toml
