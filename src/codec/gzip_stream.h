#pragma once
// gzip (RFC 1952) in pieces, for files that are too large to hold: input and output are both
// bounded. What it gives out is the caller's to bound in sum. One object, one thread.

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace fh::codec {

class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(GzipStream&&) noexcept;
  GzipStream& operator=(GzipStream&&) noexcept;

  // Called with decoded bytes, valid during the call; false stops.
  using Out = std::function<bool(std::string_view)>;
  // The next compressed bytes. Several members one after another are one text. InvalidArgument when
  // they are damaged, Cancelled when `out` said false; the stream is then of no further use.
  base::Status push(std::string_view compressed, const Out& out);
  // After the last bytes. InvalidArgument when the text is cut off.
  base::Status finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::codec
