#pragma once
// Usage CSV that Cursor's dashboard exports, one row per request, in its three column layouts (2024
// to 2026). The layout is not documented by Cursor; what each column means was settled by adding
// the columns up: the two Input columns are separate amounts (tokens written to the cache, tokens
// not), in some older files the first contains the second; Total Tokens tells which, row by row.

#include "importers/importer.h"

namespace fh::importers {

const Format& cursor_format();

}  // namespace fh::importers
