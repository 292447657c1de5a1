#pragma once
// Reads the file format "freehold.prices/1" (docs/formats/price-book.md). Private to this folder.

#include <string_view>

#include "base/result.h"
#include "pricing/book.h"

namespace fh::pricing {

// InvalidArgument with the place, e.g. "entries[3].periods[0].bands[1].rates.input". Unknown
// members are refused: in a file about money a mistyped word must not go unseen.
base::Result<Book> parse_book(std::string_view json);

}  // namespace fh::pricing
