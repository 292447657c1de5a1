// The rule table of a grammar under construction and the rules of plain JSON.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/check.h"
#include "engine/llama/grammar_schema.h"

namespace fh::engine::llama {
namespace {

struct Builtin {
  std::string_view name;
  std::string_view body;
  std::string_view needs;  // names, separated by spaces
};
// White space is short on purpose: a model that may pad without end does. Numbers stay inside what
// a double holds, and
// \u escapes never make half a surrogate pair.
constexpr std::array kBuiltins{
    Builtin{"ws", R"(( " " | "\n" [ \t]{0,16} )?)", ""},
    Builtin{"boolean", R"("true" | "false")", ""},
    Builtin{"null", R"("null")", ""},
    Builtin{"integer", R"("-"? ("0" | [1-9] [0-9]{0,14}))", ""},
    Builtin{"number", R"(integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?)", "integer"},
    Builtin{"char",
            R"([^"\\\x7F\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" )"
            R"(( [0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2} ) ))",
            ""},
    Builtin{"string", R"("\"" char* "\"")", "char"},
    Builtin{"array", R"("[" ws ( value ( "," ws value )* )? ws "]")", "ws value"},
    Builtin{"object", R"("{" ws ( string ":" ws value ( "," ws string ":" ws value )* )? ws "}")",
            "ws string value"},
    Builtin{"value", R"(object | array | string | number | boolean | null)",
            "object array string number boolean null"},
};

std::string clean_name(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 40)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    out += plain ? c : '-';
  }
  return out.empty() ? "r" : out;
}

}  // namespace

std::string GrammarRules::reserve(std::string_view name) {
  const std::string base = clean_name(name);
  std::string used = base;
  for (std::size_t i = 1; bodies_.contains(used); ++i) used = base + "-" + std::to_string(i);
  bodies_.emplace(used, std::string());
  order_.push_back(used);
  return used;
}

void GrammarRules::define(const std::string& name, std::string body) {
  bodies_[name] = std::move(body);
}

void GrammarRules::rollback(std::size_t size) {
  for (; order_.size() > size; order_.pop_back()) bodies_.erase(order_.back());
}

std::string GrammarRules::add(std::string_view name, std::string body) {
  std::string used = reserve(name);
  define(used, std::move(body));
  return used;
}

std::string GrammarRules::builtin(std::string_view name) {
  const std::string used = "j-" + std::string(name);
  if (bodies_.contains(used)) return used;
  for (const Builtin& rule : kBuiltins) {
    if (rule.name != name) continue;
    bodies_.emplace(used, std::string());
    order_.push_back(used);
    std::string body(rule.body);
    std::string_view needs = rule.needs;
    while (!needs.empty()) {
      const std::size_t space = std::min(needs.find(' '), needs.size());
      const std::string need(needs.substr(0, space));
      needs.remove_prefix(std::min(space + 1, needs.size()));
      const std::string target = builtin(need);
      // Names of needed rules stand in the bodies as whole words, never inside literals.
      for (std::size_t at = body.find(need); at != std::string::npos; at = body.find(need, at)) {
        const bool left = at == 0 || body[at - 1] == ' ' || body[at - 1] == '(';
        const std::size_t end = at + need.size();
        const bool right = end == body.size() || body[end] == ' ' || body[end] == '*';
        if (left && right) {
          body.replace(at, need.size(), target);
          at += target.size();
        } else {
          at = end;
        }
      }
    }
    define(used, std::move(body));
    return used;
  }
  FH_BUG("no such built-in grammar rule");
  return used;
}

std::string GrammarRules::repeat(const std::string& rule, std::uint64_t min, std::uint64_t max) {
  // llama.cpp unrolls repetitions and refuses more than 2000; long ones are made of blocks of
  // `block` items.
  constexpr std::uint64_t kPlainMax = 64;
  constexpr std::uint64_t kLongest = 200'000;
  const bool endless = max == kNoMax;
  min = std::min(min, kLongest);
  max = std::min(max, std::max(min, kLongest));
  const auto braces = [](const std::string& item, std::uint64_t a, std::uint64_t b) {
    return item + "{" + std::to_string(a) + "," + std::to_string(b) + "}";
  };
  const std::uint64_t extra = endless ? 0 : max - min;
  if (endless && min == 0) return rule + "*";
  if (min <= kPlainMax && extra <= kPlainMax) {
    return endless ? rule + "{" + std::to_string(min) + ",}" : braces(rule, min, max);
  }
  const std::uint64_t longest = std::max(min, extra);
  const auto block = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(longest)));
  const std::string size = std::to_string(block);
  const std::string chunk = add("block", rule + "{" + size + "," + size + "}");
  std::string out;
  const std::uint64_t fixed_blocks = min / block;
  const std::uint64_t fixed_rest = min % block;
  if (fixed_blocks > 0) out += braces(chunk, fixed_blocks, fixed_blocks) + " ";
  if (fixed_rest > 0) out += braces(rule, fixed_rest, fixed_rest) + " ";
  if (endless) return out + rule + "*";
  if (extra < block) return out + braces(rule, 0, extra);
  // 0..extra items: k blocks and then 0..tail items reach every count once tail >= block - 1.
  const std::uint64_t blocks = (extra - (block - 1)) / block;
  return out + (blocks > 0 ? braces(chunk, 0, blocks) + " " : "") +
         braces(rule, 0, extra - blocks * block);
}

std::string GrammarRules::text() const {
  std::string out;
  for (const std::string& name : order_) out += name + " ::= " + bodies_.find(name)->second + "\n";
  return out;
}

std::string gbnf_literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\x%02X", byte);
      out += buffer;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string gbnf_until(GrammarRules& rules, std::string_view name, std::string_view stop,
                       const std::string& after, bool may_end) {
  // The automaton of Knuth, Morris and Pratt, one rule per matched length.
  const std::size_t n = stop.size();
  std::vector<std::string> states;
  for (std::size_t i = 0; i < n; ++i) {
    states.push_back(rules.reserve(std::string(name) + "-" + std::to_string(i)));
  }
  std::string alphabet(stop);
  std::sort(alphabet.begin(), alphabet.end());
  alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
  const auto in_class = [](char c) {
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "\\x%02X", static_cast<unsigned char>(c));
    return std::string(buffer);
  };
  for (std::size_t i = 0; i < n; ++i) {
    std::string body = may_end ? "\"\" | " : "";
    std::string others;
    for (const char c : alphabet) {
      // The longest prefix of stop that is a suffix of stop[0, i) + c.
      const std::string seen = std::string(stop.substr(0, i)) + c;
      std::size_t next = std::min(i + 1, n);
      while (next > 0 &&
             stop.substr(0, next) != std::string_view(seen).substr(seen.size() - next)) {
        --next;
      }
      if (next == 0) continue;  // back to the start, like any other character
      others += in_class(c);
      body +=
          gbnf_literal(std::string_view(&c, 1)) + " " + (next < n ? states[next] : after) + " | ";
    }
    rules.define(states[i], body + "[^" + others + "] " + states[0]);
  }
  return states[0];
}

}  // namespace fh::engine::llama
