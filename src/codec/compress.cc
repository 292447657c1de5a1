// Decompression in steps of one fixed buffer; the limit is checked before the buffer is appended.

#include "codec/compress.h"

#include <zlib.h>
#include <zstd.h>

#include <limits>
#include <memory>
#include <vector>

namespace fh::codec {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kStepBytes = 64 * 1024;
// Windows above 8 MiB are not asked of a decoder (RFC 8878, section 3.1.1.1.2).
constexpr int kZstdWindowLogMax = 23;

std::unexpected<base::Error> too_long(std::size_t decoded_bytes_max) {
  return fail(Code::OutOfRange,
              "decompressed data is longer than " + std::to_string(decoded_bytes_max) + " bytes");
}

// zlib takes at most 4 GiB at once; more input than this is never given to us in one piece.
constexpr std::size_t kInputMax = std::numeric_limits<uInt>::max();

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

}  // namespace

base::Result<std::string> gzip_decode(std::string_view data, std::size_t decoded_bytes_max) {
  if (data.size() > kInputMax) return fail(Code::OutOfRange, "gzip data is too long");
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
    return fail(Code::ResourceExhausted, "not enough memory to decompress gzip data");
  }
  const std::unique_ptr<z_stream, InflateEnd> guard(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());

  std::string out;
  std::vector<char> step(kStepBytes);
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(step.data());
    stream.avail_out = static_cast<uInt>(step.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return fail(Code::InvalidArgument, "gzip data is damaged");
    }
    const std::size_t made = step.size() - stream.avail_out;
    if (made > decoded_bytes_max - out.size()) return too_long(decoded_bytes_max);
    out.append(step.data(), made);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return fail(Code::Internal, "zlib cannot go on");
    } else if (made == 0 && stream.avail_in == 0) {
      return fail(Code::InvalidArgument, "gzip data is cut off");
    }
  }
}

base::Result<std::string> zstd_decode(std::string_view data, std::size_t decoded_bytes_max) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  if (!context) return fail(Code::ResourceExhausted, "not enough memory to decompress zstd data");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  if (data.empty()) return fail(Code::InvalidArgument, "zstd data is cut off");
  const unsigned long long claimed = ZSTD_getFrameContentSize(data.data(), data.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR) return fail(Code::InvalidArgument, "not zstd data");
  if (claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed > decoded_bytes_max) {
    return too_long(decoded_bytes_max);
  }
  std::string out;
  std::vector<char> step(kStepBytes);
  ZSTD_inBuffer input{data.data(), data.size(), 0};
  while (true) {
    ZSTD_outBuffer output{step.data(), step.size(), 0};
    const std::size_t consumed_before = input.pos;
    const std::size_t left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) {
      return fail(Code::InvalidArgument,
                  std::string("zstd data is damaged: ") + ZSTD_getErrorName(left));
    }
    if (output.pos > decoded_bytes_max - out.size()) return too_long(decoded_bytes_max);
    out.append(step.data(), output.pos);
    if (left == 0 && input.pos == input.size) return out;
    if (output.pos == 0 && input.pos == consumed_before) {
      return fail(Code::InvalidArgument, "zstd data is cut off");
    }
  }
}

}  // namespace fh::codec
