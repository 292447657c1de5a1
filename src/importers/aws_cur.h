#pragma once
// AWS Cost and Usage Reports as CSV: the older reports (lineItem/UsageType) and data exports of the
// second version (line_item_usage_type). Every line is a cost record with its unblended cost to the
// last digit; usage lines whose usage type counts tokens (Amazon Bedrock) are usage records too.
// What a line does not say, its tokens' class, model or quantity, is a skip with that reason, and
// its cost is kept. Requests and prompt lengths are in no line.

#include "importers/importer.h"

namespace fh::importers {

const Format& aws_cur_format();

}  // namespace fh::importers
