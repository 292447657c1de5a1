#pragma once
// A CSV file that no other importer knows, read by a mapping file (csv_mapping.h says its keys) or,
// without one, by column names that leave no doubt (model, input_tokens, output_tokens, timestamp).
// A total column, where there is one, is held against each row that is read by guess.

#include "importers/importer.h"

namespace fh::importers {

const Format& generic_csv_format();

}  // namespace fh::importers
