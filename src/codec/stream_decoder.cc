// See stream_decoder.h. Each format's decoder is in a file of its own.

#include "codec/stream_decoder.h"

namespace fh::codec {

std::unique_ptr<StreamDecoder> decoder_for(std::string_view first) {
  if (first.starts_with("\x1F\x8B")) return gzip_decoder();
  if (first.starts_with("\x28\xB5\x2F\xFD")) return zstd_decoder();
  return nullptr;
}

}  // namespace fh::codec
