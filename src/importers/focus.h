#pragma once
// FOCUS cost and usage exports (FinOps Open Cost and Usage Specification, 1.0 to 1.2, and the
// renamed provider columns of later drafts), as CSV. Every row is a cost record with its amounts to
// the last digit; usage rows measured in tokens are usage records too. Real exports differ from the
// specification: the word NULL for nothing, times without zone (taken as UTC), columns of the
// vendor's own.

#include "importers/importer.h"

namespace fh::importers {

const Format& focus_format();

}  // namespace fh::importers
