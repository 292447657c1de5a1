// Lines of an engine script; see lexer.h.
#include "engine/scripted/lexer.h"

#include <optional>
#include <utility>

#include "codec/json.h"
#include "codec/utf8.h"

namespace fh::engine::scripted {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '/' || c == ':';
}

std::optional<std::uint32_t> hex_number(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    value <<= 4;
    if (c >= '0' && c <= '9') {
      value |= static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value |= static_cast<std::uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      value |= static_cast<std::uint32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

class LineLexer {
 public:
  LineLexer(std::string_view text, int number) : text_(text), number_(number) {}

  base::Result<Line> run() {
    Line line;
    line.number = number_;
    line.indented = !text_.empty() && kBlanks.contains(text_[0]);
    while (skip_blanks()) {
      const char c = text_[at_];
      if (c == '#') break;
      if (c == '"') {
        FH_TRY(std::string value, string());
        line.pieces.push_back({Piece::Kind::String, std::move(value)});
      } else if (c == '{' || c == '[') {
        FH_TRY(std::string value, json());
        line.pieces.push_back({Piece::Kind::Json, std::move(value)});
      } else if (is_word_char(c)) {
        const std::size_t from = at_;
        while (at_ < text_.size() && is_word_char(text_[at_])) ++at_;
        line.pieces.push_back({Piece::Kind::Word, std::string(text_.substr(from, at_ - from))});
      } else {
        return line_error(number_, "unexpected character at column " + std::to_string(at_ + 1),
                          "text goes in double quotes");
      }
    }
    return line;
  }

 private:
  bool skip_blanks() {
    while (at_ < text_.size() && kBlanks.contains(text_[at_])) ++at_;
    return at_ < text_.size();
  }

  base::Result<std::string> string() {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (c != '\\') {
        out += c;
        continue;
      }
      FH_TRY_VOID(escape(out));
    }
    return line_error(number_, "the string has no closing quote");
  }

  // `at_` is on the backslash; leaves it on the escape's last character.
  base::Status escape(std::string& out) {
    constexpr std::string_view kNames = "nrt0\\\"/";
    constexpr std::string_view kBytes("\n\r\t\0\\\"/", 7);
    const char kind = ++at_ < text_.size() ? text_[at_] : '\0';
    if (const std::size_t i = kNames.find(kind); i != std::string_view::npos && kind != '\0') {
      out += kBytes[i];
      return {};
    }
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 0;
    const auto value = hex_number(text_.substr(std::min(at_ + 1, text_.size()), digits));
    if (digits == 0 || at_ + digits >= text_.size() || !value) {
      return line_error(number_, "unknown escape in a string",
                        R"(known are \n \r \t \0 \\ \" \/ \xHH (a byte) and \uHHHH)");
    }
    if (kind == 'x') {
      out += static_cast<char>(*value);
    } else {
      codec::utf8::append_code_point(out, *value);
    }
    at_ += digits;
    return {};
  }

  // A JSON value takes the rest of the line.
  base::Result<std::string> json() {
    std::string_view rest = text_.substr(at_);
    rest = rest.substr(0, rest.find_last_not_of(kBlanks) + 1);
    if (auto parsed = codec::json::Document::parse(rest); !parsed) {
      return line_error(number_, parsed.error().message,
                        "a JSON value is the last thing on its line");
    }
    at_ = text_.size();
    return std::string(rest);
  }

  std::string_view text_;
  int number_;
  std::size_t at_ = 0;
};

}  // namespace

std::unexpected<base::Error> line_error(int line, std::string message, std::string hint) {
  return base::fail(base::Code::InvalidArgument,
                    "line " + std::to_string(line) + ": " + std::move(message), std::move(hint));
}

base::Result<std::vector<Line>> split_lines(std::string_view script) {
  std::vector<Line> lines;
  int number = 0;
  while (!script.empty()) {
    const std::size_t end = std::min(script.find('\n'), script.size());
    std::string_view text = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    FH_TRY(Line line, LineLexer(text, ++number).run());
    if (!line.pieces.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace fh::engine::scripted
