// The header reader on arbitrary bytes, with a virtual file size so that offsets can be plausible.
#include <cstring>

#include "models/fit.h"
#include "models/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  fh::models::ByteSource source;
  source.size = size;
  source.read = [&](std::uint64_t offset, std::span<char> out) -> fh::base::Status {
    if (offset > size || out.size() > size - offset) {
      return fh::base::fail(fh::base::Code::DataLoss, "read past the end");
    }
    std::memcpy(out.data(), data + offset, out.size());
    return {};
  };
  if (const auto facts = fh::models::read_gguf(source)) {
    fh::models::fit_of(*facts, fh::models::context_for_memory(*facts, 0, 1ull << 34), 1ull << 34);
  }
  return 0;
}
