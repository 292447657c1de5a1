// zstd in pieces, see stream_decoder.h.

#include <zstd.h>

#include <vector>

#include "codec/stream_decoder.h"

namespace fh::codec {

using base::Code;
using base::fail;

namespace {

constexpr int kWindowLogMax = 27;

struct Free {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdStream final : public StreamDecoder {
 public:
  ZstdStream() {
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  }

  base::Status push(std::string_view compressed, const Out& out) override {
    if (!context_) {
      return fail(Code::ResourceExhausted, "not enough memory to decompress zstd data");
    }
    ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
    while (true) {
      ZSTD_outBuffer made{step_.data(), step_.size(), 0};
      const std::size_t wanted = ZSTD_decompressStream(context_.get(), &made, &in);
      if (ZSTD_isError(wanted) != 0) return fail(Code::InvalidArgument, "zstd data is damaged");
      if (made.pos > 0 && !out({step_.data(), made.pos})) return fail(Code::Cancelled, "stopped");
      between_ = wanted == 0;
      // A frame that is done holds nothing back; one more call would begin the next one.
      if (between_ && in.pos == in.size) return {};
      // A step that was filled to its end may have more to give without more input.
      if (in.pos == in.size && made.pos < made.size) return {};
    }
  }

  base::Status finish() override {
    if (!between_) return fail(Code::InvalidArgument, "zstd data is cut off");
    return {};
  }

 private:
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  std::vector<char> step_ = std::vector<char>(ZSTD_DStreamOutSize());
  bool between_ = true;  // no frame is open
};

}  // namespace

std::unique_ptr<StreamDecoder> zstd_decoder() {
  return std::make_unique<ZstdStream>();
}

}  // namespace fh::codec
