// Step times and memory computed by hand from sheets and geometry.

#include "planner/step_time.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fh::planner {
namespace {

ModelShape shape(const char* model, const char* precision, double kv_bytes = 2) {
  const auto s = shape_of(*Catalogue::bundled().model(model), precision, kv_bytes);
  EXPECT_TRUE(s.has_value()) << (s ? "" : s.error().text());
  return s.value_or(ModelShape{});
}

StepTime step(const ModelShape& s, const char* card, Layout layout) {
  auto t = StepTime::make(s, *Catalogue::bundled().accelerator(card), layout);
  EXPECT_TRUE(t.has_value()) << (t ? "" : t.error().text());
  return std::move(*t);
}

// Qwen3-32B, FP8, one H100, 32 sequences at 1,088 tokens:
//   weights    32.5e9 / (3.35e12 * 0.7)                    = 13.859 ms  (products 2.12 ms: less)
//   cache      32 * 1,088 * 262,144 / (3.35e12 * 0.7)      =  3.892 ms  (products 0.148 ms: less)
//   layers     64 * 20 us                                  =  1.280 ms
TEST(StepTime, DenseDecodeByHand) {
  const StepTime t = step(shape("qwen3-32b", "fp8"), "h100-sxm-80", {1, 1, 1});
  EXPECT_NEAR(t.decode_s(32, 1088) * 1e3, 13.859 + 3.892 + 1.280, 0.01);
}

// MiniMax-M2.5, FP8, four H100, experts spread over four, 16 sequences at 1,536 tokens:
//   routed experts  (230 - 10)e9 / (1 - 8/256)             = 227.097e9, the rest 2.903e9
//   hit             1 - (1 - 8/256)^16                     = 0.39829
//   fullest GPU     mean 25.49, sigma 3.916, sqrt(2 ln 4) = 1.665: 32.01 / 25.49 = 1.2558
//   weights         (2.903 + 227.097 * 0.39829 * 1.2558)e9 / 4 / 2.345e12 = 12.420 ms
//   cache           16 * 1,536 * 253,952 / 4 / 2.345e12    =  0.665 ms
//   layers          62 * 2 * 20 us                         =  2.480 ms
//   exchange        2 * 62 * (8 us + 16 * 3,072 * 2 / 450e9) = 1.019 ms
TEST(StepTime, MixtureOfExpertsDecodeByHand) {
  const StepTime t = step(shape("minimax-m2.5", "fp8"), "h100-sxm-80", {4, 1, 4});
  EXPECT_NEAR(t.decode_s(16, 1536) * 1e3, 12.420 + 0.665 + 2.480 + 1.019, 0.02);
}

TEST(StepTime, ExpertsReadGrowWithTheBatchUpToAll) {
  const StepTime t = step(shape("minimax-m2.5", "fp8"), "h200-sxm-141", {4, 1, 1});
  double last = 0;
  for (const double n : {1, 2, 8, 32, 128, 512}) {
    const double now = t.decode_s(n, 128);
    EXPECT_GT(now, last);
    last = now;
  }
  // One sequence reads 10e9 of 230e9 bytes, not all of them: 10e9 / 4 / 3.36e12 = 0.74 ms of 17.1.
  EXPECT_LT(t.decode_s(1, 128) * 1e3, 0.75 + 2.48 + 1.1);
}

TEST(StepTime, PrefillIsBoundByProducts) {
  // 2 * 32.8e9 * 4,096 / (1979e12 * 0.5) = 271.5 ms of products; attention
  // 4 * 8,192 * 4,096 * 64 * 2,048 / (989e12 * 0.5) = 35.6 ms; layers 1.28 ms.
  const StepTime t = step(shape("qwen3-32b", "fp8"), "h100-sxm-80", {1, 1, 1});
  EXPECT_NEAR(t.prefill_s(4096, 0) * 1e3, 271.5 + 35.6 + 1.28, 0.3);
  // Attention over a cached prefix still costs: 4 * 8,192 * 4,096 * 64 * 8,192 / 494.5e12 = 142 ms.
  EXPECT_NEAR((t.prefill_s(4096, 8192) - t.prefill_s(4096, 0)) * 1e3, 142.3, 1.0);
  EXPECT_EQ(t.prefill_s(0, 8192), 0);
}

TEST(StepTime, LatentCachesAreReplicatedGroupedOnesAreSplit) {
  const ModelShape mla = shape("deepseek-r1", "fp8");
  const double whole = 70'272.0 * 1000;
  EXPECT_DOUBLE_EQ(step(mla, "h200-sxm-141", {8, 1, 1}).cache_bytes_per_gpu(1000), whole);
  EXPECT_DOUBLE_EQ(step(mla, "h200-sxm-141", {8, 8, 8}).cache_bytes_per_gpu(1000), whole / 8);
  const ModelShape gqa = shape("llama-3.1-8b", "bf16");
  EXPECT_DOUBLE_EQ(step(gqa, "h200-sxm-141", {4, 1, 1}).cache_bytes_per_gpu(1000),
                   131'072'000.0 / 4);
  // Eight heads cannot split sixteen ways.
  EXPECT_DOUBLE_EQ(step(gqa, "gb200", {16, 1, 1}).cache_bytes_per_gpu(1000), 131'072'000.0 / 8);
  // An 8-bit cache is half of it.
  EXPECT_DOUBLE_EQ(
      step(shape("llama-3.1-8b", "bf16", 1), "h200-sxm-141", {1, 1, 1}).cache_bytes_per_gpu(1000),
      65'536'000.0);
}

TEST(StepTime, DataParallelAttentionReadsItsWeightsOnEveryGpu) {
  const ModelShape s = shape("deepseek-r1", "fp8");
  // Routed experts (671 - 37)e9 / (1 - 8/256) = 654.5e9; of the other 16.5e9, embeddings take
  // 2 * 129,280 * 7,168 = 1.85e9 and shared experts 3 * 7,168 * 2,048 * 61 = 2.69e9.
  EXPECT_NEAR(s.expert_params / 1e9, 654.45, 0.05);
  EXPECT_NEAR(s.attention_params / 1e9, 12.01, 0.05);
  const double plain = step(s, "h200-sxm-141", {8, 1, 8}).weights_bytes_per_gpu();
  const double parallel = step(s, "h200-sxm-141", {8, 8, 8}).weights_bytes_per_gpu();
  EXPECT_NEAR((parallel - plain) / 1e9, 12.01 * 7 / 8, 0.05);
}

TEST(StepTime, MemoryByHand) {
  // Mistral Medium 3.5 FP8 on four H100: 4 * (85.9e9 * 0.9 - 133.6e9 / 4 - 3.5e9) = 161.6e9 bytes
  // of cache; a 32k conversation takes 360,448 * 32,768 = 11.81e9: 13.
  const StepTime t = step(shape("mistral-medium-3.5", "fp8"), "h100-sxm-80", {4, 1, 1});
  EXPECT_NEAR(t.cache_budget_per_gpu() * 4 / 1e9, 161.6, 0.1);
  EXPECT_EQ(t.sequences_max(32'768), 13);
  // On one H200 it does not fit.
  EXPECT_LT(step(shape("mistral-medium-3.5", "fp8"), "h200-sxm-141", {1, 1, 1}).sequences_max(1000),
            1);
}

TEST(StepTime, RecurrentStatesSplitAsHeadsDo) {
  // Kimi K3: 27,648 bytes a token replicated, 449 MB of state split.
  const StepTime t = step(
      [] {
        Model m = *Catalogue::bundled().model("kimi-k3");
        m.params_active = 60e9;  // not established in the catalogue
        return shape_of(m, "mxfp4").value();
      }(),
      "b200-sxm-180", {8, 1, 1});
  EXPECT_DOUBLE_EQ(t.cache_bytes_per_gpu(1000), 27'648'000.0 + 449'372'160.0 / 8);
}

TEST(StepTime, CrossingNodesCosts) {
  const ModelShape s = shape("deepseek-r1", "fp8");
  const double across = step(s, "h100-sxm-80", {16, 1, 1}).decode_s(10, 1000);
  const double inside = step(s, "gb200", {16, 1, 1}).decode_s(10, 1000);
  // 2 * 61 collectives of 24 instead of 8 us are 1.95 ms by themselves.
  EXPECT_GT(across - inside, 1.9e-3);
}

TEST(PeakFlops, FollowsWhatTheCardCanMultiply) {
  const auto rate = [](const char* card, const char* precision) {
    return peak_flops(*Catalogue::bundled().accelerator(card), precision).value_or(0);
  };
  EXPECT_EQ(rate("h100-sxm-80", "fp8"), 1979e12);
  EXPECT_EQ(rate("a100-sxm-80", "fp8"), 312e12);    // unpacked to bf16
  EXPECT_EQ(rate("h100-sxm-80", "mxfp4"), 989e12);  // likewise
  EXPECT_EQ(rate("b200-sxm-180", "nvfp4"), 9000e12);
  EXPECT_EQ(rate("b200-sxm-180", "int4"), 2250e12);
  EXPECT_FALSE(peak_flops(*Catalogue::bundled().accelerator("mac-mini-m6-32"), "bf16").has_value());
}

TEST(ShapeOf, SaysWhatIsNotEstablished) {
  const auto missing = [](const char* model, const char* precision) {
    const auto s = shape_of(*Catalogue::bundled().model(model), precision);
    EXPECT_FALSE(s.has_value());
    return s ? std::string() : s.error().message;
  };
  EXPECT_NE(missing("kimi-k3", "mxfp4").find("active parameters"), std::string::npos);
  EXPECT_NE(missing("qwen3.5-9b", "bf16").find("layers"), std::string::npos);
  EXPECT_NE(missing("qwen3-32b", "nvfp4").find("nvfp4"), std::string::npos);
}

}  // namespace
}  // namespace fh::planner
