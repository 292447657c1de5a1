// See zstd_stream.h.

#include "codec/zstd_stream.h"

#include <zstd.h>

#include <vector>

namespace fh::codec {

using base::Code;
using base::fail;

namespace {

constexpr int kWindowLogMax = 27;

struct Free {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct ZstdStream::Impl {
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  std::vector<char> step = std::vector<char>(ZSTD_DStreamOutSize());
  bool between = true;  // no frame is open
};

ZstdStream::ZstdStream() : impl_(std::make_unique<Impl>()) {
  if (impl_->context) {
    ZSTD_DCtx_setParameter(impl_->context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  }
}
ZstdStream::~ZstdStream() = default;
ZstdStream::ZstdStream(ZstdStream&&) noexcept = default;
ZstdStream& ZstdStream::operator=(ZstdStream&&) noexcept = default;

base::Status ZstdStream::push(std::string_view compressed, const Out& out) {
  if (!impl_->context) {
    return fail(Code::ResourceExhausted, "not enough memory to decompress zstd data");
  }
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  while (true) {
    ZSTD_outBuffer made{impl_->step.data(), impl_->step.size(), 0};
    const std::size_t wanted = ZSTD_decompressStream(impl_->context.get(), &made, &in);
    if (ZSTD_isError(wanted) != 0) return fail(Code::InvalidArgument, "zstd data is damaged");
    if (made.pos > 0 && !out({impl_->step.data(), made.pos})) {
      return fail(Code::Cancelled, "stopped");
    }
    impl_->between = wanted == 0;
    // A step that was filled to its end may have more to give without more input.
    if (in.pos == in.size && made.pos < made.size) return {};
  }
}

base::Status ZstdStream::finish() {
  if (!impl_->between) return fail(Code::InvalidArgument, "zstd data is cut off");
  return {};
}

}  // namespace fh::codec
