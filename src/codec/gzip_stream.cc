// gzip in pieces, see stream_decoder.h.

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "codec/stream_decoder.h"

namespace fh::codec {

using base::Code;
using base::fail;

namespace {

class GzipStream final : public StreamDecoder {
 public:
  GzipStream() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~GzipStream() override {
    if (ready_) inflateEnd(&stream_);
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  base::Status push(std::string_view compressed, const Out& out) override {
    if (!ready_) {
      return fail(Code::ResourceExhausted, "not enough memory to decompress gzip data");
    }
    constexpr std::size_t kInputMax = std::numeric_limits<uInt>::max();
    while (!compressed.empty()) {
      const std::string_view part = compressed.substr(0, std::min(compressed.size(), kInputMax));
      compressed.remove_prefix(part.size());
      FH_TRY_VOID(run(part, out));
    }
    return {};
  }

  base::Status finish() override {
    if (!between_) return fail(Code::InvalidArgument, "gzip data is cut off");
    return {};
  }

 private:
  base::Status run(std::string_view compressed, const Out& out);

  z_stream stream_{};
  std::vector<char> step_ = std::vector<char>(256 * 1024);
  bool ready_ = false;
  bool between_ = true;  // no member is open
};

base::Status GzipStream::run(std::string_view compressed, const Out& out) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream_.avail_in = static_cast<uInt>(compressed.size());
  while (true) {
    if (between_) {
      if (stream_.avail_in == 0) return {};
      if (inflateReset(&stream_) != Z_OK) return fail(Code::Internal, "zlib cannot go on");
      between_ = false;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(step_.data());
    stream_.avail_out = static_cast<uInt>(step_.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return fail(Code::InvalidArgument, "gzip data is damaged");
    }
    const std::size_t made = step_.size() - stream_.avail_out;
    if (made > 0 && !out({step_.data(), made})) return fail(Code::Cancelled, "stopped");
    if (result == Z_STREAM_END) {
      between_ = true;
    } else if (stream_.avail_in == 0 && made < step_.size()) {
      return {};
    }
  }
}

}  // namespace

std::unique_ptr<StreamDecoder> gzip_decoder() {
  return std::make_unique<GzipStream>();
}

}  // namespace fh::codec
