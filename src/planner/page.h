#pragma once
// Putting a plan's JSON into the page's template; private to page.cc and its test. write_html() is
// plan.h's.
//
// Threads: pure functions.

#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::planner {

// The same JSON in characters that end no script element and no line of a script.
std::string for_data_block(std::string_view json);

// The template with the JSON in the place of its mark. Unavailable when there is no mark: the build
// has no page.
base::Result<std::string> fill_page(std::string_view page, std::string_view json);

}  // namespace fh::planner
