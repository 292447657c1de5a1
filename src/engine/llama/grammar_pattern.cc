// Regular expressions of JSON Schema: parser, matcher over sets of positions, writer of GBNF.
#include "engine/llama/grammar_pattern.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

namespace fh::engine::llama {
namespace {

using Kind = PatternNode::Kind;
constexpr std::uint32_t kLastChar = 0x10FFFF;
constexpr int kDepthMax = 40;
constexpr std::uint32_t kRepeatMax = 1000;

std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    length = std::min(length, text.size() - i);
    std::uint32_t value = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      value = (value << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    out.push_back(value);
    i += length;
  }
  return out;
}

CharSet normalise(CharSet set) {
  std::sort(set.begin(), set.end());
  CharSet out;
  for (const auto& range : set) {
    if (!out.empty() && range.first <= out.back().second + 1) {
      out.back().second = std::max(out.back().second, range.second);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

CharSet complement(const CharSet& set) {
  CharSet out;
  std::uint32_t next = 0;
  for (const auto& [first, last] : set) {
    if (first > next) out.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= kLastChar) out.emplace_back(next, kLastChar);
  return out;
}

bool contains(const CharSet& set, std::uint32_t c) {
  return std::any_of(set.begin(), set.end(),
                     [c](const auto& range) { return range.first <= c && c <= range.second; });
}

PatternNode set_node(CharSet set) {
  PatternNode node;
  node.kind = Kind::Set;
  node.set = normalise(std::move(set));
  return node;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(code_points(text)) {}

  std::optional<PatternNode> run() {
    PatternNode root = choice(0);
    if (bad_ || at_ != text_.size()) return std::nullopt;
    return root;
  }

 private:
  bool more() const { return at_ < text_.size(); }
  std::uint32_t peek() const { return more() ? text_[at_] : 0; }
  bool take(std::uint32_t c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  PatternNode choice(int depth) {
    PatternNode out;
    out.kind = Kind::Choice;
    if (depth > kDepthMax) bad_ = true;
    do {
      out.parts.push_back(sequence(depth));
    } while (!bad_ && take('|'));
    if (out.parts.size() == 1) return std::move(out.parts.front());
    return out;
  }

  PatternNode sequence(int depth) {
    PatternNode out;
    while (!bad_ && more() && peek() != '|' && peek() != ')') {
      PatternNode atom = parse_atom(depth);
      if (!bad_) out.parts.push_back(repeat(std::move(atom)));
    }
    return out;
  }

  PatternNode parse_atom(int depth) {
    const std::uint32_t c = text_[at_++];
    PatternNode node;
    switch (c) {
      case '^': node.kind = Kind::Begin; return node;
      case '$': node.kind = Kind::End; return node;
      case '.': return set_node(complement({{'\n', '\n'}, {'\r', '\r'}}));
      case '(': return group(depth);
      case '[': return set_node(char_class());
      case '\\': return set_node(escape());
      case '*':
      case '+':
      case '?': bad_ = true; return node;
      default: return set_node({{c, c}});
    }
  }

  PatternNode group(int depth) {
    if (take('?') && !take(':')) {
      // (?<name>...) is a plain group; look-around and flags are not supported.
      if (!take('<') || peek() == '=' || peek() == '!') bad_ = true;
      while (!bad_ && more() && peek() != '>') ++at_;
      if (!take('>')) bad_ = true;
    }
    if (bad_) return {};
    PatternNode inner = choice(depth + 1);
    if (!take(')')) bad_ = true;
    return inner;
  }

  PatternNode repeat(PatternNode atom) {
    std::uint32_t min = 1;
    std::uint32_t max = 1;
    if (take('*')) {
      min = 0, max = PatternNode::kNoMax;
    } else if (take('+')) {
      max = PatternNode::kNoMax;
    } else if (take('?')) {
      min = 0;
    } else if (peek() == '{') {
      if (!counts(min, max)) return atom;
    } else {
      return atom;
    }
    take('?');  // lazy: the same language
    if (atom.kind == Kind::Begin || atom.kind == Kind::End) bad_ = true;
    PatternNode out;
    out.kind = Kind::Repeat;
    out.min = min;
    out.max = max;
    out.parts.push_back(std::move(atom));
    return out;
  }

  // {n}, {n,}, {n,m}. Anything else is a literal brace in ECMA-262, which nobody means: refused.
  bool counts(std::uint32_t& min, std::uint32_t& max) {
    ++at_;
    const auto first = number();
    std::optional<std::uint32_t> second = first;
    if (take(',')) second = peek() == '}' ? std::optional(PatternNode::kNoMax) : number();
    if (!first || !second || !take('}') || *first > *second) {
      bad_ = true;
      return false;
    }
    min = *first;
    max = *second;
    return true;
  }

  std::optional<std::uint32_t> number() {
    std::uint32_t value = 0;
    const std::size_t start = at_;
    while (more() && peek() >= '0' && peek() <= '9' && value <= kRepeatMax) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == start || value > kRepeatMax) return std::nullopt;
    return value;
  }

  std::uint32_t hex(int digits) {
    std::uint32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const std::uint32_t c = more() ? text_[at_++] : 0;
      if (c >= '0' && c <= '9') {
        value = value * 16 + (c - '0');
      } else if ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'f') {
        value = value * 16 + ((c | 0x20U) - 'a' + 10);
      } else {
        bad_ = true;
      }
    }
    return value;
  }

  CharSet escape() {
    if (!more()) {
      bad_ = true;
      return {};
    }
    const CharSet digit{{'0', '9'}};
    const CharSet word{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    const CharSet space{{'\t', '\r'}, {' ', ' '}, {0xA0, 0xA0}, {0x2028, 0x2029}, {0xFEFF, 0xFEFF}};
    const std::uint32_t c = text_[at_++];
    switch (c) {
      case 'd': return digit;
      case 'D': return complement(digit);
      case 'w': return word;
      case 'W': return complement(word);
      case 's': return space;
      case 'S': return complement(space);
      case 'n': return {{'\n', '\n'}};
      case 'r': return {{'\r', '\r'}};
      case 't': return {{'\t', '\t'}};
      case 'f': return {{'\f', '\f'}};
      case 'v': return {{'\v', '\v'}};
      case 'x':
      case 'u': {
        const std::uint32_t value = hex(c == 'x' ? 2 : 4);
        return {{value, value}};
      }
      default: break;
    }
    // An escaped letter or digit that is not above has a meaning which is not supported.
    const bool alnum = (c >= '0' && c <= '9') || ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'z');
    if (alnum) bad_ = true;
    return {{c, c}};
  }

  CharSet char_class() {
    CharSet set;
    const bool negated = take('^');
    while (!bad_ && more() && peek() != ']') {
      CharSet item = class_item();
      const bool single = item.size() == 1 && item[0].first == item[0].second;
      if (single && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        const CharSet upper = class_item();
        if (upper.size() != 1 || upper[0].first != upper[0].second ||
            upper[0].first < item[0].first) {
          bad_ = true;
          break;
        }
        item[0].second = upper[0].first;
      }
      set.insert(set.end(), item.begin(), item.end());
    }
    if (!take(']')) bad_ = true;
    set = normalise(std::move(set));
    return negated ? complement(set) : set;
  }

  CharSet class_item() {
    const std::uint32_t c = text_[at_++];
    if (c != '\\') return {{c, c}};
    if (take('b')) return {{'\b', '\b'}};
    return escape();
  }

  std::vector<std::uint32_t> text_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

using Positions = std::set<std::size_t>;

Positions advance(const PatternNode& node, const Positions& from,
                  const std::vector<std::uint32_t>& text) {
  Positions out;
  switch (node.kind) {
    case Kind::Set:
      for (const std::size_t p : from) {
        if (p < text.size() && contains(node.set, text[p])) out.insert(p + 1);
      }
      return out;
    case Kind::Begin:
      if (from.contains(0)) out.insert(0);
      return out;
    case Kind::End:
      if (from.contains(text.size())) out.insert(text.size());
      return out;
    case Kind::Choice:
      for (const PatternNode& part : node.parts) out.merge(advance(part, from, text));
      return out;
    case Kind::Sequence:
      out = from;
      for (const PatternNode& part : node.parts) out = advance(part, out, text);
      return out;
    case Kind::Repeat: break;
  }
  Positions now = from;
  for (std::uint32_t i = 0; i < node.min && !now.empty(); ++i) {
    now = advance(node.parts[0], now, text);
  }
  out = now;
  for (std::uint32_t i = node.min; i < node.max && !now.empty(); ++i) {
    Positions fresh;
    for (const std::size_t p : advance(node.parts[0], now, text)) {
      if (out.insert(p).second) fresh.insert(p);
    }
    now = std::move(fresh);
  }
  return out;
}

void append_class_char(std::string& out, std::uint32_t c) {
  char buffer[16];
  const bool plain = (c >= '0' && c <= '9') || ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'z');
  if (plain) {
    out += static_cast<char>(c);
    return;
  }
  std::snprintf(buffer, sizeof buffer, "\\U%08X", c);
  out += buffer;
}

// One character of the set, as it stands inside a JSON string.
std::optional<std::string> set_gbnf(const CharSet& set) {
  std::vector<std::string> choices;
  std::string bracket;
  static constexpr std::pair<std::uint32_t, std::uint32_t> kPlain[] = {
      {0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0x7E}, {0x80, 0xD7FF}, {0xE000, kLastChar}};
  for (const auto& [first, last] : set) {
    for (const auto& [low, high] : kPlain) {
      const std::uint32_t a = std::max(first, low);
      const std::uint32_t b = std::min(last, high);
      if (a > b) continue;
      append_class_char(bracket, a);
      if (b > a) {
        bracket += '-';
        append_class_char(bracket, b);
      }
    }
  }
  if (!bracket.empty()) choices.push_back("[" + bracket + "]");
  static constexpr std::pair<std::uint32_t, const char*> kEscaped[] = {{'"', R"("\\\"")"},
                                                                       {'\\', R"("\\\\")"},
                                                                       {'\n', R"("\\n")"},
                                                                       {'\r', R"("\\r")"},
                                                                       {'\t', R"("\\t")"}};
  for (const auto& [c, literal] : kEscaped) {
    if (contains(set, c)) choices.emplace_back(literal);
  }
  if (choices.empty()) return std::nullopt;
  std::string out = choices[0];
  for (std::size_t i = 1; i < choices.size(); ++i) out += " | " + choices[i];
  return choices.size() == 1 ? out : "(" + out + ")";
}

std::optional<std::string> node_gbnf(const PatternNode& node) {
  std::string out;
  switch (node.kind) {
    case Kind::Set: return set_gbnf(node.set);
    case Kind::Begin:
    case Kind::End: return std::nullopt;  // only at the outer ends, taken off before
    case Kind::Sequence:
    case Kind::Choice:
      for (const PatternNode& part : node.parts) {
        const auto text = node_gbnf(part);
        if (!text) return std::nullopt;
        if (!out.empty()) out += node.kind == Kind::Choice ? " | " : " ";
        out += text->empty() ? "\"\"" : *text;
      }
      if (out.empty()) return "\"\"";
      return "(" + out + ")";
    case Kind::Repeat: break;
  }
  const auto inner = node_gbnf(node.parts[0]);
  if (!inner) return std::nullopt;
  out = *inner + "{" + std::to_string(node.min) + ",";
  if (node.max != PatternNode::kNoMax) out += std::to_string(node.max);
  return out + "}";
}

}  // namespace

base::Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.size() > 2000) {
    return base::fail(base::Code::InvalidArgument, "the pattern is longer than 2000 bytes");
  }
  auto root = Parser(text).run();
  if (!root) {
    return base::fail(base::Code::InvalidArgument,
                      "the pattern is not a supported regular expression");
  }
  Pattern out;
  out.root_ = std::move(*root);
  return out;
}

bool Pattern::matches(std::string_view text) const {
  const auto points = code_points(text);
  Positions starts;
  for (std::size_t i = 0; i <= points.size(); ++i) starts.insert(starts.end(), i);
  return !advance(root_, starts, points).empty();
}

base::Result<std::string> Pattern::to_gbnf(std::string_view any_char) const {
  std::vector<PatternNode> choices;
  if (root_.kind == Kind::Choice) {
    choices = root_.parts;
  } else {
    choices.push_back(root_);
  }
  const std::string any = std::string(any_char) + "*";
  std::string out;
  for (PatternNode& choice : choices) {
    if (choice.kind != Kind::Sequence) {
      PatternNode wrapped;
      wrapped.parts.push_back(std::move(choice));
      choice = std::move(wrapped);
    }
    auto& parts = choice.parts;
    const bool begin = !parts.empty() && parts.front().kind == Kind::Begin;
    if (begin) parts.erase(parts.begin());
    const bool end = !parts.empty() && parts.back().kind == Kind::End;
    if (end) parts.pop_back();
    const auto text = node_gbnf(choice);
    if (!text) {
      return base::fail(base::Code::InvalidArgument,
                        "the pattern has an anchor inside or allows no character of a JSON string");
    }
    if (!out.empty()) out += " | ";
    out += (begin ? "" : any + " ") + *text + (end ? "" : " " + any);
  }
  return "(" + out + ")";
}

}  // namespace fh::engine::llama
