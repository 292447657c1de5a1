#pragma once
// Two public request traces with lengths and times only, as CSV:
//   Azure LLM inference (2023 to 2025)  TIMESTAMP,ContextTokens,GeneratedTokens[,NumImages]
//   BurstGPT  Timestamp,[Session ID,Elapsed time,]Model,Request tokens,Response tokens,Total
//   tokens,
//             Log Type; its times are seconds since the trace began and count here from 1970.
// Neither tells cached tokens: the whole input counts as fresh.

#include "importers/importer.h"

namespace fh::importers {

const Format& azure_trace_format();
const Format& burstgpt_trace_format();

}  // namespace fh::importers
