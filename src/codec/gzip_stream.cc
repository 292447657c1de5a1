// See gzip_stream.h.

#include "codec/gzip_stream.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace fh::codec {

using base::Code;
using base::fail;

struct GzipStream::Impl {
  z_stream stream{};
  std::vector<char> step = std::vector<char>(256 * 1024);
  bool ready = false;
  bool between = true;  // no member is open

  Impl() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    ready = inflateInit2(&stream, kGzipOnly) == Z_OK;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (ready) inflateEnd(&stream);
  }

  base::Status run(std::string_view compressed, const Out& out);
};

GzipStream::GzipStream() : impl_(std::make_unique<Impl>()) {}
GzipStream::~GzipStream() = default;
GzipStream::GzipStream(GzipStream&&) noexcept = default;
GzipStream& GzipStream::operator=(GzipStream&&) noexcept = default;

base::Status GzipStream::Impl::run(std::string_view compressed, const Out& out) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  while (true) {
    if (between) {
      if (stream.avail_in == 0) return {};
      if (inflateReset(&stream) != Z_OK) return fail(Code::Internal, "zlib cannot go on");
      between = false;
    }
    stream.next_out = reinterpret_cast<Bytef*>(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return fail(Code::InvalidArgument, "gzip data is damaged");
    }
    const std::size_t made = step.size() - stream.avail_out;
    if (made > 0 && !out({step.data(), made})) return fail(Code::Cancelled, "stopped");
    if (result == Z_STREAM_END) {
      between = true;
    } else if (stream.avail_in == 0 && made < step.size()) {
      return {};
    }
  }
}

base::Status GzipStream::push(std::string_view compressed, const Out& out) {
  if (!impl_->ready) {
    return fail(Code::ResourceExhausted, "not enough memory to decompress gzip data");
  }
  constexpr std::size_t kInputMax = std::numeric_limits<uInt>::max();
  while (!compressed.empty()) {
    const std::string_view part = compressed.substr(0, std::min(compressed.size(), kInputMax));
    compressed.remove_prefix(part.size());
    FH_TRY_VOID(impl_->run(part, out));
  }
  return {};
}

base::Status GzipStream::finish() {
  if (!impl_->between) return fail(Code::InvalidArgument, "gzip data is cut off");
  return {};
}

}  // namespace fh::codec
