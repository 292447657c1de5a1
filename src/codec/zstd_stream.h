#pragma once
// zstd (RFC 8878) in pieces, for files that are too large to hold: input and output are both
// bounded, memory is that of the window that a frame asks for, 128 MiB at the most. What it gives
// out is the caller's to bound in sum. One object, one thread.

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace fh::codec {

class ZstdStream {
 public:
  ZstdStream();
  ~ZstdStream();
  ZstdStream(ZstdStream&&) noexcept;
  ZstdStream& operator=(ZstdStream&&) noexcept;

  // Called with decoded bytes, valid during the call; false stops.
  using Out = std::function<bool(std::string_view)>;
  // The next compressed bytes. Several frames one after another are one text. InvalidArgument when
  // they are damaged or ask for a larger window, Cancelled when `out` said false; the stream is
  // then of no further use.
  base::Status push(std::string_view compressed, const Out& out);
  // After the last bytes. InvalidArgument when the text is cut off.
  base::Status finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::codec
