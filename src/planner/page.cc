// The plan as one HTML page: the template that console/ built, with the plan's JSON in its data
// block. The template is put into the binary by the assembler; it refers to nothing outside itself
// and its content policy allows nothing else.
#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "base/os/file.h"
#include "planner/page.h"
#include "planner/plan.h"

#ifdef FH_PLAN_PAGE_FILE
asm(".section .rodata.fh_plan_page,\"a\",@progbits\n"
    ".global fh_plan_page_begin\n"
    ".global fh_plan_page_end\n"
    "fh_plan_page_begin:\n"
    ".incbin \"" FH_PLAN_PAGE_FILE
    "\"\n"
    "fh_plan_page_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char fh_plan_page_begin[];
extern const char fh_plan_page_end[];
}
#endif

namespace fh::planner {
namespace {

constexpr std::string_view kPlace = "@FREEHOLD_PLAN@";

std::string_view page_template() {
#ifdef FH_PLAN_PAGE_FILE
  return {fh_plan_page_begin, fh_plan_page_end};
#else
  return {};
#endif
}

}  // namespace

std::string for_data_block(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = json.substr(i);
    if (rest.front() == '<') {
      out += "\\u003c";
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += rest.front();
    }
  }
  return out;
}

base::Result<std::string> fill_page(std::string_view page, std::string_view json) {
  const std::size_t at = page.find(kPlace);
  if (at == std::string_view::npos) {
    return base::fail(base::Code::Unavailable, "this build of Freehold carries no plan page",
                      "it was made without Node; --xlsx and --json work, `make build` with Node "
                      "makes one with the page");
  }
  std::string out(page.substr(0, at));
  out += for_data_block(json);
  out += page.substr(at + kPlace.size());
  return out;
}

base::Status write_html(const Plan& plan, const std::string& path) {
  FH_TRY(const std::string page, fill_page(page_template(), plan_json(plan)));
  const auto cannot = [&](const std::string& why) {
    return base::fail(base::Code::Unavailable, fmt::format("{} cannot be written{}", path, why),
                      "is the folder there and writable, and the disk not full?");
  };
  // The page takes the place of what is there: of a file, never of a device or a folder.
  std::error_code ignored;
  const auto there = std::filesystem::status(path, ignored);
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
    return cannot(": it is not a file");
  }
  if (!base::os::write_file_atomically(path, page, 0644)) return cannot("");
  return {};
}

}  // namespace fh::planner
