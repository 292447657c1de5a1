#pragma once
// What a file is that no format reads. Pure functions.

#include <string_view>

namespace fh::importers {

inline constexpr std::string_view kUnknownFormat = "no known usage format";

// Why a file that begins so is not read, and what to do where it is of a kind that often holds
// usage: a table that is not CSV, an archive, telemetry.
std::string_view why_unknown(std::string_view head);

}  // namespace fh::importers
