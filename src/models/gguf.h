#pragma once
// Our own bounded reader of GGUF headers: every model file passes it before anything else looks at
// it. It reads metadata and tensor descriptions, never weights, and refuses what is corrupt or
// hostile: counts, lengths, offsets and sizes are checked against limits and the file's size before
// anything is allocated. Format: GGUF versions 2 and 3, little-endian, as described in the ggml
// project's GGUF document; tensor block sizes are those of the GGML types.
//
// Pure but for the ByteSource it is given. Errors: InvalidArgument (not a GGUF file, corrupt,
// hostile: the message says what and where) and what the source reports.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::models {

// Reads exactly out.size() bytes at `offset`.
struct ByteSource {
  std::uint64_t size = 0;
  std::function<base::Status(std::uint64_t offset, std::span<char> out)> read;
};

struct GgufLimits {
  std::uint64_t header_bytes_max = 100ull * 1024 * 1024;
  std::uint64_t tensors_max = 65'536;
  std::uint64_t entries_max = 65'536;
  std::uint64_t string_bytes_max = 1024 * 1024;
  std::uint64_t template_bytes_max = 256 * 1024;
  std::uint64_t array_length_max = 4'000'000;
};

struct GgufTensor {
  std::string name;
  std::string type;  // "Q4_K"
  std::vector<std::uint64_t> dims;
  std::uint64_t offset = 0;  // from the start of the data section
  std::uint64_t bytes = 0;
  std::uint64_t elements = 0;
};

// What the planner, the registry and `models show` need to know. Absent numbers are 0.
struct GgufFacts {
  std::uint32_t version = 0;
  std::string architecture;
  std::string name;
  std::string licence;
  std::string chat_template;
  std::uint64_t context_length = 0;
  std::uint64_t block_count = 0;
  std::uint64_t embedding_length = 0;
  std::uint64_t head_count = 0;
  std::vector<std::uint64_t> head_count_kv;  // one per layer, or one for all
  std::uint64_t key_length = 0;
  std::uint64_t value_length = 0;
  std::uint64_t sliding_window = 0;
  std::uint64_t vocabulary = 0;
  std::uint64_t alignment = 32;
  std::uint64_t file_bytes = 0;
  std::uint64_t parameters = 0;
  std::string quantization;  // type that holds most of the weights
  std::vector<GgufTensor> tensors;
};

base::Result<GgufFacts> read_gguf(const ByteSource& source, const GgufLimits& limits = {});
// The same for a file on disk.
base::Result<GgufFacts> read_gguf_file(const std::string& path, const GgufLimits& limits = {});

}  // namespace fh::models
