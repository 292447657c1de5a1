#pragma once
// The tensor types of GGML by number: name, elements per block, bytes per block.

#include <cstdint>
#include <string_view>

namespace fh::models {

struct TensorType {
  std::string_view name;
  std::uint32_t block_elements = 0;
  std::uint32_t block_bytes = 0;
};
// nullptr for numbers that are not in use.
const TensorType* tensor_type(std::uint32_t number);

}  // namespace fh::models
