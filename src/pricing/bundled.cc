// The price book that ships in the binary: data/prices.json, put into read-only memory by the
// assembler.

#include "base/check.h"
#include "base/log.h"
#include "pricing/price_book.h"

asm(".section .rodata.fh_prices,\"a\",@progbits\n"
    ".global fh_prices_begin\n"
    ".global fh_prices_end\n"
    "fh_prices_begin:\n"
    ".incbin \"" FH_PRICES_FILE
    "\"\n"
    "fh_prices_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char fh_prices_begin[];
extern const char fh_prices_end[];
}

namespace fh::pricing {

const PriceBook& PriceBook::bundled() {
  static const PriceBook book = [] {
    auto parsed = PriceBook::parse(std::string_view(fh_prices_begin, fh_prices_end));
    if (!parsed)
      base::log_error("the bundled price book is invalid", {{"cause", parsed.error().text()}});
    FH_CHECK(parsed.has_value());
    return std::move(*parsed);
  }();
  return book;
}

}  // namespace fh::pricing
