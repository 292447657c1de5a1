#pragma once
// What every importer does with texts that it keeps: names made safe, identities made of parts, and
// the bound of a believable count. Pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fh::importers {

// A token count above this is not believed. A source reports at most a few 10^12 in a bucket; the
// bound keeps the sum over one record far from 64 bits.
inline constexpr std::uint64_t kCountMax = 1'000'000'000'000'000;
inline constexpr std::size_t kNameBytesMax = 256;

// At most kNameBytesMax bytes, cut between code points; control characters become spaces and broken
// UTF-8 U+FFFD, so that a name is safe to print and to store.
std::string name_of(std::string_view text);

// 32 hexadecimal digits over all parts (SHA-256, cut); borders between parts count.
std::string identity_of(std::span<const std::string> parts);

// Whether `needle` stands in `text`; searches at memory speed, for recognisers and line filters.
bool contains(std::string_view text, std::string_view needle);

// Sum that stays at the top instead of wrapping: totals over hostile files remain an upper bound.
std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b);
std::int64_t saturating_add(std::int64_t a, std::int64_t b);

}  // namespace fh::importers
