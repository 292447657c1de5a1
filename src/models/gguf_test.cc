#include "models/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "models/catalogue.h"
#include "models/fit.h"
#include "models/gguf_types.h"

namespace fh::models {
namespace {

// Builds GGUF bytes, right or wrong on purpose.
class Builder {
 public:
  template <typename T>
  Builder& put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof raw);
    return *this;
  }
  Builder& text(std::string_view value) {
    put<std::uint64_t>(value.size());
    bytes_ += value;
    return *this;
  }
  Builder& header(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
    bytes_ += "GGUF";
    return put(version).put(tensors).put(entries);
  }
  Builder& entry(std::string_view key, std::string_view value) {
    return text(key).put<std::uint32_t>(8).text(value);
  }
  Builder& entry(std::string_view key, std::uint32_t value) {
    return text(key).put<std::uint32_t>(4).put(value);
  }
  Builder& tensor(std::string_view name, std::vector<std::uint64_t> dims, std::uint32_t type,
                  std::uint64_t offset) {
    text(name).put<std::uint32_t>(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) put(dim);
    return put(type).put(offset);
  }
  Builder& data(std::size_t size) {
    bytes_.resize((bytes_.size() + 31) / 32 * 32);
    bytes_.append(size, '\1');
    return *this;
  }
  std::string bytes_;
};

base::Result<GgufFacts> read(const std::string& bytes) {
  ByteSource source;
  source.size = bytes.size();
  source.read = [&](std::uint64_t offset, std::span<char> out) -> base::Status {
    if (offset + out.size() > bytes.size()) return base::fail(base::Code::DataLoss, "past the end");
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return {};
  };
  return read_gguf(source);
}

std::string small_model() {
  Builder b;
  b.header(2, 7).entry("general.architecture", "llama").entry("llama.context_length", 8192);
  b.entry("llama.block_count", 30).entry("llama.embedding_length", 576);
  b.entry("llama.attention.head_count", 9).entry("llama.attention.head_count_kv", 3);
  b.entry("general.license", "apache-2.0");
  b.tensor("a", {32, 2}, 2, 0).tensor("b", {4}, 0, 64);
  return b.data(64 + 16).bytes_;
}

TEST(Gguf, ReadsTheFactsOfASoundFile) {
  const auto facts = read(small_model());
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_EQ(facts->architecture, "llama");
  EXPECT_EQ(facts->context_length, 8192u);
  EXPECT_EQ(facts->parameters, 68u);
  EXPECT_EQ(facts->tensors.at(0).bytes, 36u);
  EXPECT_EQ(facts->quantization, "Q4_0");
  // 30 layers x 3 KV heads x (64 + 64) x 2 bytes
  EXPECT_EQ(kv_bytes_per_token(*facts), 30u * 3 * 128 * 2);
}

TEST(Gguf, EveryTruncationIsRefusedWithAReason) {
  const std::string whole = small_model();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto facts = read(whole.substr(0, length));
    ASSERT_FALSE(facts) << "accepted at " << length;
    EXPECT_EQ(facts.error().code, base::Code::InvalidArgument);
    EXPECT_FALSE(facts.error().message.empty());
  }
}

TEST(Gguf, HostileNumbersAreRefusedBeforeAnythingIsAllocated) {
  constexpr std::uint64_t kHuge = 1ull << 62;
  const std::string cases[] = {
      Builder().header(kHuge, 1).bytes_,
      Builder().header(1, kHuge).bytes_,
      Builder().header(0, 1).put(kHuge).bytes_,
      Builder().header(0, 1).text("k").put<std::uint32_t>(8).put(kHuge).bytes_,
      Builder()
          .header(0, 1)
          .text("k")
          .put<std::uint32_t>(9)
          .put<std::uint32_t>(4)
          .put(kHuge)
          .bytes_,
      Builder()
          .header(0, 1)
          .text("k")
          .put<std::uint32_t>(9)
          .put<std::uint32_t>(9)
          .put<std::uint64_t>(1)
          .bytes_,
      Builder().header(0, 1).text("k").put<std::uint32_t>(99).bytes_,
      Builder().header(1, 0).tensor("t", {kHuge, kHuge}, 0, 0).bytes_,
      Builder().header(1, 0).tensor("t", {1, 1, 1, 1, 1}, 0, 0).bytes_,
      Builder().header(1, 0).tensor("t", {0}, 0, 0).bytes_,
      Builder().header(1, 0).tensor("t", {4}, 4, 0).bytes_,
      Builder().header(1, 0).tensor("t", {33}, 2, 0).bytes_,
      Builder().header(0, 1).entry("general.alignment", 24).bytes_,
      Builder().header(0, 1).entry("general.alignment", 8192).bytes_,
      Builder().header(0, 0, 1).bytes_,
      Builder().header(0, 2).entry("k", 1).entry("k", 2).bytes_,
  };
  for (const std::string& bytes : cases) {
    const auto facts = read(bytes + std::string(64, '\0'));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().reason, "corrupt_model") << facts.error().text();
  }
}

TEST(Gguf, TensorsOutsideTheFileOrOnTopOfEachOtherAreRefused) {
  Builder outside;
  outside.header(1, 1).entry("general.architecture", "llama").tensor("a", {64}, 0, 0).data(255);
  EXPECT_FALSE(read(outside.bytes_));
  Builder far;
  far.header(1, 1).entry("general.architecture", "llama").tensor("a", {8}, 0, ~0ull - 31).data(64);
  EXPECT_FALSE(read(far.bytes_));
  Builder overlap;
  overlap.header(2, 1).entry("general.architecture", "llama");
  overlap.tensor("a", {16}, 0, 0).tensor("b", {16}, 0, 32).data(128);
  EXPECT_FALSE(read(overlap.bytes_));
  Builder twice;
  twice.header(2, 1).entry("general.architecture", "llama");
  twice.tensor("a", {8}, 0, 0).tensor("a", {8}, 0, 32).data(128);
  EXPECT_FALSE(read(twice.bytes_));
}

TEST(Fit, ContextIsLoweredToWhatMemoryHoldsAndSaysSo) {
  auto facts = read(small_model());
  ASSERT_TRUE(facts);
  facts->file_bytes = 1ull << 30;
  EXPECT_EQ(context_for_memory(*facts, 0, 1ull << 36), 8192u);
  EXPECT_EQ(context_for_memory(*facts, 100'000, 1ull << 36), 8192u);
  EXPECT_LT(context_for_memory(*facts, 0, 1900ull << 20), 8192u);
  EXPECT_EQ(fit_of(*facts, 8192, 1ull << 30).fit, Fit::No);
  EXPECT_EQ(fit_of(*facts, 8192, 1ull << 36).fit, Fit::Yes);
}

TEST(Catalogue, EntriesAreDistinctAndFoundByHash) {
  for (const CatalogueEntry& entry : catalogue()) {
    EXPECT_EQ(entry.sha256.size(), 64u);
    EXPECT_EQ(find_in_catalogue(entry.sha256), &entry);
  }
  EXPECT_EQ(find_in_catalogue("00"), nullptr);
  EXPECT_EQ(tensor_type(12)->name, "Q4_K");
  EXPECT_EQ(tensor_type(4), nullptr);
  EXPECT_EQ(tensor_type(4'000'000'000u), nullptr);
}

}  // namespace
}  // namespace fh::models
