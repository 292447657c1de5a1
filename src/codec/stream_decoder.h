#pragma once
// Compressed text in pieces, for files that are too large to hold: input and output are both
// bounded. What a decoder gives out is the caller's to bound in sum. One object, one thread.

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace fh::codec {

class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  // Called with decoded bytes, valid during the call; false stops.
  using Out = std::function<bool(std::string_view)>;
  // The next compressed bytes. Several members or frames one after another are one text.
  // InvalidArgument when they are damaged, ResourceExhausted when there is no memory for the
  // decoder, Cancelled when `out` said false; the decoder is then of no further use.
  virtual base::Status push(std::string_view compressed, const Out& out) = 0;
  // After the last bytes. InvalidArgument when the text is cut off.
  virtual base::Status finish() = 0;
};

// gzip (RFC 1952).
std::unique_ptr<StreamDecoder> gzip_decoder();
// zstd (RFC 8878). Memory is that of the window that a frame asks for, 128 MiB at the most: a frame
// that asks for a larger one is damaged.
std::unique_ptr<StreamDecoder> zstd_decoder();

// The decoder for a text that begins so; nullptr: it is not compressed in a way known here.
std::unique_ptr<StreamDecoder> decoder_for(std::string_view first);

}  // namespace fh::codec
