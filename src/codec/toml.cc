// Reads with toml++, then copies what it found into a flat node array, so that toml++ stays inside
// this file. toml++ builds and frees nested values by recursion; a scan before it bounds how deep
// they can be.

#include "codec/toml.h"

#include <algorithm>

#include "codec/toml_impl.h"
#include "codec/utf8.h"

// toml++ is the largest header here; it is included last, so that nothing of ours can depend on it.
#include <toml++/toml.h>

namespace fh::codec::toml {
namespace {

using base::Code;
using base::fail;

std::unexpected<base::Error> invalid_at(std::size_t line, std::size_t column,
                                        std::string_view what) {
  std::string message =
      "line " + std::to_string(line) + ", column " + std::to_string(column) + ": ";
  message.append(what);
  return fail(Code::InvalidArgument, std::move(message));
}

// Bounds the nesting that the text can have. It follows strings and comments only as far as needed
// to know what is outside them. On text that is not TOML the two readers may differ, but only after
// the place where toml++ gives up.
class DepthScan {
 public:
  DepthScan(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  base::Status run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '.') {
        ++dots_;
      } else if (c == '\n' || c == '=' || c == ',' || is_bracket(c)) {
        dots_ = 0;
      }
      if (c == '[' || c == '{') ++brackets_;
      if ((c == ']' || c == '}') && brackets_ > 0) --brackets_;
      if (c == '\n') ++line_;
      if (dots_ >= limits_.segments_max) {
        return invalid_at(line_, 1, "a key has too many segments");
      }
      if (brackets_ > limits_.brackets_max) return invalid_at(line_, 1, "nested too deeply");
      ++at_;
    }
    return {};
  }

 private:
  static bool is_bracket(char c) { return c == '[' || c == ']' || c == '{' || c == '}'; }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool multi_line = text_.substr(at_).starts_with(triple);
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        if (!multi_line) return;  // not closed: an error that toml++ reports
        ++line_;
      }
      if (c == '\\' && quote == '"') {
        // A line break after the backslash is met by the next turn.
        at_ += at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2 : 1;
      } else if (c == quote && !multi_line) {
        ++at_;
        return;
      } else if (c == quote && text_.substr(at_).starts_with(triple)) {
        // Up to two quotes may stand right before the closing three.
        at_ += 3;
        for (int extra = 0; extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra) ++at_;
        return;
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t dots_ = 0;
  std::size_t brackets_ = 0;
};

// Copies toml++'s tree; the recursion is bounded by the scan.
class Copier {
 public:
  explicit Copier(File::Impl& file) : file_(file) {}

  std::uint32_t copy(const ::toml::node& source, std::uint32_t parent, std::string key) {
    const auto id = static_cast<std::uint32_t>(file_.nodes.size());
    file_.nodes.emplace_back();
    Node& node = file_.nodes.back();
    node.parent = parent;
    node.key = std::move(key);
    node.line = source.source().begin.line;
    if (const auto* table = source.as_table()) {
      copy_table(*table, id);
    } else if (const auto* array = source.as_array()) {
      node.type = Type::Array;
      std::vector<std::uint32_t> children;
      for (const ::toml::node& element : *array) children.push_back(copy(element, id, {}));
      file_.nodes[id].children = std::move(children);
    } else {
      copy_scalar(source, node);
    }
    return id;
  }

 private:
  void copy_table(const ::toml::table& table, std::uint32_t id) {
    file_.nodes[id].type = Type::Table;
    std::vector<std::uint32_t> children;
    for (const auto& [key, value] : table) {
      const std::uint32_t child = copy(value, id, std::string(key.str()));
      file_.nodes[child].line = key.source().begin.line;
      file_.nodes[child].column = key.source().begin.column;
      children.push_back(child);
    }
    // toml++ sorts by name; people read by position.
    std::ranges::sort(children, {}, [this](std::uint32_t child) {
      const Node& node = file_.nodes[child];
      return std::tuple<std::size_t, std::size_t, std::string_view>(node.line, node.column,
                                                                    node.key);
    });
    file_.nodes[id].children = std::move(children);
  }

  static void copy_scalar(const ::toml::node& source, Node& node) {
    if (const auto* boolean = source.as_boolean()) {
      node.type = Type::Bool;
      node.scalar = boolean->get();
    } else if (const auto* integer = source.as_integer()) {
      node.type = Type::Int;
      node.scalar = integer->get();
    } else if (const auto* number = source.as_floating_point()) {
      node.type = Type::Double;
      node.scalar = number->get();
    } else if (const auto* text = source.as_string()) {
      node.type = Type::String;
      node.scalar = text->get();
    } else {
      node.type = Type::Date;
    }
  }

  File::Impl& file_;
};

}  // namespace

base::Result<File> File::parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(Code::InvalidArgument,
                "the file is longer than " + std::to_string(limits.bytes_max) + " bytes");
  }
  if (const std::size_t good = utf8::valid_prefix_bytes(text); good != text.size()) {
    const std::string_view before = text.substr(0, good);
    const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
    return invalid_at(line, good - (before.rfind('\n') + 1) + 1, "not valid UTF-8");
  }
  FH_TRY_VOID(DepthScan(text, limits).run());
  auto impl = std::make_unique<Impl>();
  try {
    const ::toml::table table = ::toml::parse(text);
    Copier(*impl).copy(table, 0, {});
  } catch (const ::toml::parse_error& error) {
    const ::toml::source_position at = error.source().begin;
    return invalid_at(at.line, at.column, utf8::repaired(error.description()));
  }
  return File(std::move(impl));
}

}  // namespace fh::codec::toml
