// The JSON reader. simdjson's first stage gives the position of every token and has checked UTF-8,
// quotes and control characters in strings; what remains is a walk over those positions that checks
// the grammar and builds nodes. We do this walk ourselves, because it gives the exact position of
// every error and the exact source text of every value, neither of which simdjson's own document
// types keep. No recursion: nesting costs a vector entry, not stack.

#include "codec/json.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "codec/json_number.h"
#include "codec/utf8.h"

namespace fh::codec::json {

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::Null: return "null";
    case Kind::Bool: return "boolean";
    case Kind::Number: return "number";
    case Kind::String: return "string";
    case Kind::Array: return "array";
    case Kind::Object: return "object";
  }
  return "unknown";
}

namespace {

using base::Code;
using base::Status;

// A piece of the source text, or of the arena that holds strings which had escapes.
struct Slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

struct Node {
  Slice raw;   // in the source
  Slice key;   // object members only
  Slice data;  // String: the text. Array, Object: range of `children`.
  Kind kind = Kind::Null;
  bool key_in_arena = false;
  bool data_in_arena = false;
};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

struct Document::Impl {
  std::string source;
  std::string arena;
  std::vector<Node> nodes;  // nodes[0] is the root
  std::vector<std::uint32_t> children;

  std::string_view slice(Slice s, bool in_arena) const {
    return std::string_view(in_arena ? arena : source).substr(s.at, s.size);
  }
  std::string_view key_of(const Node& node) const { return slice(node.key, node.key_in_arena); }
  std::span<const std::uint32_t> children_of(const Node& node) const {
    return std::span(children).subspan(node.data.at, node.data.size);
  }
};

namespace {

std::unexpected<base::Error> invalid_at(std::size_t at, std::string_view what) {
  std::string message = "invalid JSON at byte " + std::to_string(at) + ": ";
  message.append(what);
  return base::fail(Code::InvalidArgument, std::move(message));
}

// Where the string that stage one complains about goes wrong: the control character, or else the
// quote that is never closed.
std::unexpected<base::Error> locate_string_error(std::string_view text) {
  std::size_t open_at = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!inside) {
      if (c == '"') {
        inside = true;
        open_at = i;
      }
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return invalid_at(i, "control character in a string; it must be escaped");
    } else if (c == '\\' && i + 1 < text.size() &&
               static_cast<unsigned char>(text[i + 1]) >= 0x20) {
      ++i;
    } else if (c == '"') {
      inside = false;
    }
  }
  return invalid_at(open_at, "string is not closed");
}

std::unexpected<base::Error> stage_one_error(simdjson::error_code error, std::string_view text) {
  switch (error) {
    case simdjson::UTF8_ERROR: return invalid_at(utf8::valid_prefix_bytes(text), "not valid UTF-8");
    case simdjson::UNCLOSED_STRING:
    case simdjson::UNESCAPED_CHARS: return locate_string_error(text);
    case simdjson::EMPTY: return invalid_at(text.size(), "no value in the text");
    case simdjson::MEMALLOC:
      return base::fail(Code::ResourceExhausted, "not enough memory to read the JSON text");
    default: return invalid_at(0, "text cannot be tokenised");
  }
}

class Walker {
 public:
  Walker(Document::Impl& doc, std::span<const std::uint32_t> tokens, const Limits& limits)
      : doc_(doc), text_(doc.source), tokens_(tokens), limits_(limits) {}

  Status run() {
    while (at_ < tokens_.size()) {
      const std::size_t pos = tokens_[at_];
      FH_TRY_VOID(step(pos));
      ++at_;
    }
    if (expect_ == Expect::Nothing) return {};
    if (open_.empty()) return invalid_at(text_.size(), "no value in the text");
    const Node& node = doc_.nodes[open_.back().node];
    return invalid_at(node.raw.at,
                      node.kind == Kind::Object ? "object is not closed" : "array is not closed");
  }

 private:
  enum class Expect : std::uint8_t {
    Value,
    FirstElement,  // a value or ']'
    FirstKey,      // a key or '}'
    Key,
    Colon,
    CommaOrClose,
    Nothing,  // the root is complete
  };
  struct Open {
    std::uint32_t node = 0;
    std::size_t pending_from = 0;
  };
  // A child whose container is still open.
  struct Pending {
    std::uint32_t node = 0;
    std::uint32_t key_at = 0;
  };

  Status step(std::size_t pos) {
    const char c = text_[pos];
    switch (expect_) {
      case Expect::FirstElement:
        if (c == ']') return close(pos);
        [[fallthrough]];
      case Expect::Value: return value(pos);
      case Expect::FirstKey:
        if (c == '}') return close(pos);
        [[fallthrough]];
      case Expect::Key:
        if (c != '"') return invalid_at(pos, "expected an object key in double quotes");
        return key(pos);
      case Expect::Colon:
        if (c != ':') return invalid_at(pos, "expected ':' after an object key");
        expect_ = Expect::Value;
        return {};
      case Expect::CommaOrClose: return comma_or_close(pos);
      case Expect::Nothing: return invalid_at(pos, "more text after the end of the value");
    }
    return {};
  }

  Status comma_or_close(std::size_t pos) {
    const bool in_object = doc_.nodes[open_.back().node].kind == Kind::Object;
    if (text_[pos] == ',') {
      expect_ = in_object ? Expect::Key : Expect::Value;
      return {};
    }
    if (text_[pos] == (in_object ? '}' : ']')) return close(pos);
    return invalid_at(
        pos, in_object ? "expected ',' or '}' in an object" : "expected ',' or ']' in an array");
  }

  Status key(std::size_t pos) {
    key_at_ = static_cast<std::uint32_t>(pos);
    FH_TRY_VOID(string(pos, key_, key_in_arena_));
    expect_ = Expect::Colon;
    return {};
  }

  Status value(std::size_t pos) {
    if (doc_.nodes.size() >= limits_.values_max) {
      return invalid_at(pos, "more than " + std::to_string(limits_.values_max) + " values");
    }
    const auto id = static_cast<std::uint32_t>(doc_.nodes.size());
    Node node;
    node.raw.at = static_cast<std::uint32_t>(pos);
    node.key = key_;
    node.key_in_arena = key_in_arena_;
    if (!open_.empty()) pending_.push_back({id, key_at_});
    key_ = {};
    key_in_arena_ = false;
    const char c = text_[pos];
    if (c == '{' || c == '[') {
      if (open_.size() >= limits_.depth_max) {
        return invalid_at(pos, "nested deeper than " + std::to_string(limits_.depth_max));
      }
      node.kind = c == '{' ? Kind::Object : Kind::Array;
      expect_ = c == '{' ? Expect::FirstKey : Expect::FirstElement;
      doc_.nodes.push_back(node);
      open_.push_back({id, pending_.size()});
      return {};
    }
    FH_TRY_VOID(scalar(node, pos));
    doc_.nodes.push_back(node);
    expect_ = open_.empty() ? Expect::Nothing : Expect::CommaOrClose;
    return {};
  }

  Status scalar(Node& node, std::size_t pos) {
    std::size_t end = pos;
    if (text_[pos] == '"') {
      node.kind = Kind::String;
      FH_TRY(end, string(pos, node.data, node.data_in_arena));
    } else {
      end = next_token_at();
      while (end > pos && is_space(text_[end - 1])) --end;
      const std::string_view word = text_.substr(pos, end - pos);
      if (word == "true" || word == "false") {
        node.kind = Kind::Bool;
      } else if (word == "null") {
        node.kind = Kind::Null;
      } else if (is_json_number(word)) {
        node.kind = Kind::Number;
      } else if (word.starts_with("\xEF\xBB\xBF")) {
        return invalid_at(pos, "byte order mark");
      } else if (word[0] == '-' || (word[0] >= '0' && word[0] <= '9')) {
        return invalid_at(pos, "not a valid number");
      } else {
        return invalid_at(pos, "expected a value");
      }
    }
    node.raw.size = static_cast<std::uint32_t>(end - pos);
    return {};
  }

  Status close(std::size_t pos) {
    const Open open = open_.back();
    open_.pop_back();
    const std::span<const Pending> mine = std::span(pending_).subspan(open.pending_from);
    Node& node = doc_.nodes[open.node];
    node.raw.size = static_cast<std::uint32_t>(pos + 1 - node.raw.at);
    node.data = {static_cast<std::uint32_t>(doc_.children.size()),
                 static_cast<std::uint32_t>(mine.size())};
    if (node.kind == Kind::Object) FH_TRY_VOID(keys_differ(mine));
    for (const Pending& child : mine) doc_.children.push_back(child.node);
    pending_.resize(open.pending_from);
    expect_ = open_.empty() ? Expect::Nothing : Expect::CommaOrClose;
    return {};
  }

  // Sorting, not hashing: no choice of keys makes it slower than n log n.
  Status keys_differ(std::span<const Pending> members) {
    if (members.size() < 2) return {};
    sorted_.clear();
    for (const Pending& member : members) {
      sorted_.emplace_back(doc_.key_of(doc_.nodes[member.node]), member.key_at);
    }
    std::ranges::sort(sorted_);
    const auto twice = std::ranges::adjacent_find(
        sorted_, [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twice == sorted_.end()) return {};
    return invalid_at(std::next(twice)->second, "this key is already in the object");
  }

  std::size_t next_token_at() const {
    return at_ + 1 < tokens_.size() ? tokens_[at_ + 1] : text_.size();
  }

  // Reads the string whose opening quote is at `pos`; gives the position after the closing quote.
  base::Result<std::size_t> string(std::size_t pos, Slice& out, bool& in_arena) {
    const std::size_t from = pos + 1;
    const std::size_t quote = text_.find('"', from);
    if (quote == std::string_view::npos) return invalid_at(pos, "string is not closed");
    if (std::memchr(text_.data() + from, '\\', quote - from) == nullptr) {
      out = {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(quote - from)};
      in_arena = false;
      return quote + 1;
    }
    return string_with_escapes(pos, out, in_arena);
  }

  base::Result<std::size_t> string_with_escapes(std::size_t pos, Slice& out, bool& in_arena) {
    const std::size_t arena_from = doc_.arena.size();
    std::size_t at = pos + 1;
    while (true) {
      std::size_t stop = at;
      while (stop < text_.size() && text_[stop] != '"' && text_[stop] != '\\') ++stop;
      if (stop == text_.size()) return invalid_at(pos, "string is not closed");
      doc_.arena.append(text_.substr(at, stop - at));
      if (text_[stop] == '"') {
        out = {static_cast<std::uint32_t>(arena_from),
               static_cast<std::uint32_t>(doc_.arena.size() - arena_from)};
        in_arena = true;
        return stop + 1;
      }
      FH_TRY(at, escape(stop));
    }
  }

  // Decodes the escape whose backslash is at `pos` into the arena; gives the position after it.
  base::Result<std::size_t> escape(std::size_t pos) {
    const char c = pos + 1 < text_.size() ? text_[pos + 1] : '\0';
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    if (const std::size_t found = kNames.find(c); c != '\0' && found != std::string_view::npos) {
      doc_.arena.push_back(kBytes[found]);
      return pos + 2;
    }
    const std::optional<std::uint32_t> first = hex4(pos);
    if (!first) return invalid_at(pos, "unknown escape in a string");
    std::uint32_t code_point = *first;
    std::size_t end = pos + 6;
    if (code_point >= 0xD800 && code_point < 0xDC00) {
      const std::optional<std::uint32_t> second = hex4(end);
      if (second && *second >= 0xDC00 && *second < 0xE000) {
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + (*second - 0xDC00);
        end += 6;
      }
    }
    utf8::append_code_point(doc_.arena, code_point);  // half a pair becomes U+FFFD
    return end;
  }

  // The value of "\uXXXX" at `pos`.
  std::optional<std::uint32_t> hex4(std::size_t pos) const {
    if (pos + 6 > text_.size() || text_[pos] != '\\' || text_[pos + 1] != 'u') return {};
    std::uint32_t value = 0;
    for (const char c : text_.substr(pos + 2, 4)) {
      const char low = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<std::uint32_t>(c - '0');
      } else if (low >= 'a' && low <= 'f') {
        value = value * 16 + static_cast<std::uint32_t>(low - 'a') + 10;
      } else {
        return {};
      }
    }
    return value;
  }

  Document::Impl& doc_;
  std::string_view text_;
  std::span<const std::uint32_t> tokens_;
  const Limits& limits_;
  std::size_t at_ = 0;  // index into tokens_
  Expect expect_ = Expect::Value;
  std::uint32_t key_at_ = 0;
  Slice key_;
  bool key_in_arena_ = false;
  std::vector<Open> open_;
  std::vector<Pending> pending_;
  std::vector<std::pair<std::string_view, std::uint32_t>> sorted_;
};

const Document::Impl& impl_of(const void* doc) {
  return *static_cast<const Document::Impl*>(doc);
}

}  // namespace

base::Result<Document> Document::parse(std::string_view text, const Limits& limits) {
  // simdjson counts positions in 32 bits.
  constexpr std::size_t kBytesMax = std::numeric_limits<std::uint32_t>::max() - 1024;
  const std::size_t bytes_max = std::min(limits.bytes_max, kBytesMax);
  if (text.size() > bytes_max) {
    return invalid_at(bytes_max, "text is longer than " + std::to_string(bytes_max) + " bytes");
  }
  if (text.empty()) return invalid_at(0, "no value in the text");
  auto impl = std::make_unique<Impl>();
  impl->source.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  impl->source.assign(text);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> scanner;
  simdjson::error_code error =
      simdjson::get_active_implementation()->create_dom_parser_implementation(text.size(), 1,
                                                                              scanner);
  if (error == simdjson::SUCCESS) {
    error = scanner->stage1(reinterpret_cast<const std::uint8_t*>(impl->source.data()),
                            impl->source.size(), simdjson::stage1_mode::regular);
  }
  if (error != simdjson::SUCCESS) return stage_one_error(error, text);

  const std::span<const std::uint32_t> tokens(scanner->structural_indexes.get(),
                                              scanner->n_structural_indexes);
  FH_TRY_VOID(Walker(*impl, tokens, limits).run());
  return Document(std::move(impl));
}

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;
Value Document::root() const {
  return impl_ ? Value(impl_.get(), 0) : Value();
}

Kind Value::kind() const {
  return exists() ? impl_of(doc_).nodes[node_].kind : Kind::Null;
}

std::string_view Value::raw() const {
  if (!exists()) return {};
  return impl_of(doc_).slice(impl_of(doc_).nodes[node_].raw, false);
}

std::optional<bool> Value::as_bool() const {
  if (!is_bool()) return {};
  return raw() == "true";
}

std::optional<std::int64_t> Value::as_int() const {
  if (!is_number()) return {};
  return json_number_as_int(raw());
}

std::optional<double> Value::as_double() const {
  if (!is_number()) return {};
  return json_number_as_double(raw());
}

std::optional<std::string_view> Value::as_string() const {
  if (!is_string()) return {};
  const Document::Impl& doc = impl_of(doc_);
  return doc.slice(doc.nodes[node_].data, doc.nodes[node_].data_in_arena);
}

std::size_t Value::size() const {
  return is_array() || is_object() ? impl_of(doc_).nodes[node_].data.size : 0;
}

Value Value::operator[](std::size_t index) const {
  if (!is_array() || index >= size()) return {};
  const Document::Impl& doc = impl_of(doc_);
  return {doc_, doc.children_of(doc.nodes[node_])[index]};
}

Value Value::operator[](std::string_view key) const {
  if (!is_object()) return {};
  const Document::Impl& doc = impl_of(doc_);
  for (const std::uint32_t child : doc.children_of(doc.nodes[node_])) {
    if (doc.key_of(doc.nodes[child]) == key) return {doc_, child};
  }
  return {};
}

std::vector<Value> Value::elements() const {
  std::vector<Value> out;
  if (!is_array()) return out;
  const Document::Impl& doc = impl_of(doc_);
  out.reserve(size());
  for (const std::uint32_t child : doc.children_of(doc.nodes[node_])) {
    out.push_back(Value(doc_, child));
  }
  return out;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  std::vector<std::pair<std::string_view, Value>> out;
  if (!is_object()) return out;
  const Document::Impl& doc = impl_of(doc_);
  out.reserve(size());
  for (const std::uint32_t child : doc.children_of(doc.nodes[node_])) {
    out.emplace_back(doc.key_of(doc.nodes[child]), Value(doc_, child));
  }
  return out;
}

}  // namespace fh::codec::json
