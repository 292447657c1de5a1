#pragma once
// The manifest of an installed model as JSON, schema "freehold.model/1".

#include <string>
#include <string_view>

#include "base/result.h"
#include "registry/registry.h"

namespace fh::registry {

std::string manifest_json(const InstalledModel& model);
base::Result<InstalledModel> parse_manifest(std::string_view text);

}  // namespace fh::registry
