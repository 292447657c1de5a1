// The catalogues that ship in the binary: data/hardware.json and data/models.json, put into
// read-only memory by the assembler.

#include "base/check.h"
#include "base/log.h"
#include "planner/catalogue.h"

asm(".section .rodata.fh_catalogue,\"a\",@progbits\n"
    ".global fh_hardware_begin\n"
    ".global fh_hardware_end\n"
    ".global fh_models_begin\n"
    ".global fh_models_end\n"
    "fh_hardware_begin:\n"
    ".incbin \"" FH_HARDWARE_FILE
    "\"\n"
    "fh_hardware_end:\n"
    ".byte 0\n"
    "fh_models_begin:\n"
    ".incbin \"" FH_MODELS_FILE
    "\"\n"
    "fh_models_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char fh_hardware_begin[];
extern const char fh_hardware_end[];
extern const char fh_models_begin[];
extern const char fh_models_end[];
}

namespace fh::planner {

const Catalogue& Catalogue::bundled() {
  static const Catalogue catalogue = [] {
    auto parsed = Catalogue::parse(std::string_view(fh_hardware_begin, fh_hardware_end),
                                   std::string_view(fh_models_begin, fh_models_end));
    if (!parsed)
      base::log_error("the bundled catalogue is invalid", {{"cause", parsed.error().text()}});
    FH_CHECK(parsed.has_value());
    return std::move(*parsed);
  }();
  return catalogue;
}

}  // namespace fh::planner
