#pragma once
// The few text operations that HTTP heads need: case-blind comparison and token lists. Pure.
// Grammar: RFC 9110 section 5.6.

#include <optional>
#include <string_view>

namespace fh::net {

bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
// A character of a token (method or field name).
bool is_token_char(char c);
bool is_token(std::string_view text);
// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);
// Takes the next element of a comma-separated list off the front of `list`, trimmed; nullopt at the
// end.
std::optional<std::string_view> next_list_element(std::string_view& list);
bool list_has(std::string_view list, std::string_view element);

}  // namespace fh::net
