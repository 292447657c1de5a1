#pragma once
// Ledger records as bytes, for the intake journal. Little-endian; text is a u32 length and bytes;
// optional money is a u8 (1: follows) and an i64. The first byte of a record is its kind: 1
// admission, 2 settlement. Fields in the order of ledger.h. Format: docs/formats/ledger.md.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/store/store.h"

namespace fh::ledger {

void encode_record(const Record& record, std::string& out);
// What encode_record appended, one after the other. DataLoss if it is not that.
base::Result<std::vector<Record>> decode_records(std::string_view bytes);

}  // namespace fh::ledger
