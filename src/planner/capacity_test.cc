// Capacity by hand, and the properties that must hold for any model and machine.

#include "planner/capacity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace fh::planner {
namespace {

const Catalogue& facts() {
  return Catalogue::bundled();
}

CapacityQuery query(const char* model, const char* card, int gpus, const char* precision = "fp8") {
  CapacityQuery q;
  q.model = facts().model(model);
  q.accelerator = facts().accelerator(card);
  q.gpus = gpus;
  q.precision = precision;
  q.request.prompt_mean = q.request.prompt_p50 = 4000;
  q.request.prompt_p95 = 8000;
  q.request.output_mean = 300;
  return q;
}

CapacityAnswer ask(const CapacityQuery& q) {
  const auto a = DatasheetCapacity().evaluate(q);
  EXPECT_TRUE(a.has_value()) << (a ? "" : a.error().text());
  return a.value_or(CapacityAnswer{});
}

TEST(DatasheetCapacity, OneMachineByHand) {
  const CapacityAnswer a = ask(query("qwen3-32b", "h100-sxm-80", 1));
  EXPECT_TRUE(a.fits);
  EXPECT_TRUE(a.meets_targets);
  EXPECT_EQ(accuracy_text(a.accuracy), "datasheet, ±35 %");
  // 85.9e9 * 0.9 - 32.5e9 - 3.5e9 = 41.309e9 bytes; 8,300 tokens of 262,144 bytes are 2.176e9.
  EXPECT_NEAR(a.cache_bytes / 1e9, 41.309, 0.001);
  EXPECT_EQ(a.sessions_p95, 18);
  EXPECT_EQ(a.sessions_p50, 36);  // 4,300 tokens: 1.127e9
  // Prefill of 4,000: 2 * 32.8e9 * 4,000 / 989.5e12 = 265.2 ms of products, 33.9 ms of attention
  // (4 * 8,192 * 4,000 * 64 * 2,000 / 494.5e12), 1.28 ms of layers: 13,317 tokens a second.
  EXPECT_NEAR(a.prefill_tok_s, 4000 / 0.30038, 30);
  // Alone: 32.5e9 / 2.345e12 + 4,150 * 262,144 / 2.345e12 + 1.28 ms = 15.60 ms.
  EXPECT_NEAR(1e3 / a.decode_tok_s_single, 15.60, 0.02);
}

TEST(DatasheetCapacity, TheLoadCurveIsConsistent) {
  CapacityQuery q = query("qwen3-32b", "h100-sxm-80", 1);
  const CapacityAnswer most = ask(q);
  ASSERT_GT(most.requests_per_s_max, 0);
  q.requests_per_s = most.requests_per_s_max;
  const CapacityAnswer full = ask(q);
  EXPECT_NEAR(full.concurrency, most.concurrency_max, 0.01 * most.concurrency_max);
  // Little's law over the decode phase: live = rate * output * time per token.
  EXPECT_NEAR(full.concurrency, q.requests_per_s * 300 * full.tpot_ms / 1e3,
              0.001 * full.concurrency);
  EXPECT_LE(full.tpot_ms, q.targets.tpot_ms * 1.001);
  EXPECT_LE(full.ttft_p95_ms, q.targets.ttft_p95_ms * 1.001);
  q.requests_per_s = most.requests_per_s_max * 3;
  EXPECT_TRUE(std::isinf(ask(q).tpot_ms));
  q.requests_per_s = 0;
  EXPECT_EQ(ask(q).utilisation, 0);
}

TEST(DatasheetCapacity, ReuseOfPrefixesCarriesMore) {
  CapacityQuery q = query("qwen3-32b", "h100-sxm-80", 1);
  double last = 0;
  for (const double share : {0.0, 0.5, 0.9, 0.96}) {
    q.request.prefix_reuse_share = share;
    const double now = ask(q).requests_per_s_max;
    EXPECT_GE(now, last) << share;
    last = now;
  }
}

struct Pair {
  const char* model;
  const char* card;
  const char* precision;
};
constexpr Pair kPairs[] = {
    {"qwen3-32b", "h100-sxm-80", "fp8"},     {"llama-3.1-8b", "rtx-pro-6000-blackwell", "bf16"},
    {"minimax-m2.5", "h200-sxm-141", "fp8"}, {"gpt-oss-120b", "h100-sxm-80", "mxfp4"},
    {"deepseek-r1", "b200-sxm-180", "fp8"},  {"qwen3.6-35b-a3b", "rtx-5090", "fp8"}};

TEST(CapacityProperty, MoreGpusAreNeverSlowerOrSmaller) {
  for (const Pair& p : kPairs) {
    double rate = 0, sessions = 0, tpot = INFINITY, ttft_alone = INFINITY;
    for (const int gpus : {1, 2, 4, 8}) {
      CapacityQuery q = query(p.model, p.card, gpus, p.precision);
      q.targets = {20'000, 100};
      const CapacityAnswer most = ask(q);
      EXPECT_GE(most.requests_per_s_max, rate) << p.model << " " << gpus;
      rate = most.requests_per_s_max;
      q.requests_per_s = 0.05;  // equal load
      const CapacityAnswer loaded = ask(q);
      if (!loaded.fits) continue;
      EXPECT_LE(loaded.tpot_ms, tpot * (1 + 1e-9)) << p.model << " " << gpus;
      tpot = loaded.tpot_ms;
      EXPECT_LE(loaded.ttft_p95_ms, ttft_alone * (1 + 1e-9)) << p.model << " " << gpus;
      ttft_alone = loaded.ttft_p95_ms;
      EXPECT_GE(most.sessions_p50, sessions) << p.model << " " << gpus;
      sessions = most.sessions_p50;
    }
  }
}

TEST(CapacityProperty, ATighterTargetNeverCarriesMore) {
  for (const Pair& p : kPairs) {
    double tpot_rate = INFINITY, ttft_rate = INFINITY;
    for (const double factor : {1.0, 0.5, 0.25, 0.1, 0.01}) {
      CapacityQuery q = query(p.model, p.card, 8, p.precision);
      q.targets = {10'000, 200 * factor};
      const double by_tpot = ask(q).requests_per_s_max;
      EXPECT_LE(by_tpot, tpot_rate * (1 + 1e-9)) << p.model;
      tpot_rate = by_tpot;
      q.targets = {20'000 * factor, 200};
      const double by_ttft = ask(q).requests_per_s_max;
      EXPECT_LE(by_ttft, ttft_rate * (1 + 1e-9)) << p.model;
      ttft_rate = by_ttft;
    }
  }
}

// Of the same weights: every model, format and card of the catalogue.
TEST(CapacityProperty, MoreGpusNeverCarryLessNorAnswerSlower) {
  int pairs = 0;
  for (const Model& model : facts().models()) {
    for (const Weights& weights : model.weights) {
      for (const Accelerator& card : facts().accelerators()) {
        double rate = 0, tpot = INFINITY;
        for (const int gpus : {1, 2, 4, 8, 16}) {
          CapacityQuery q = query("qwen3-32b", "h100-sxm-80", gpus, weights.precision.c_str());
          q.model = &model;
          q.accelerator = &card;
          q.targets = {20'000, 200};
          const auto most = DatasheetCapacity().evaluate(q);
          if (!most || !most->fits) continue;
          ++pairs;
          const std::string where =
              model.id + " " + weights.precision + " on " + std::to_string(gpus) + " x " + card.id;
          EXPECT_GE(most->requests_per_s_max, rate * (1 - 1e-9)) << where;
          rate = most->requests_per_s_max;
          q.requests_per_s = 0.02;  // equal load, where it is carried within the targets
          if (rate < q.requests_per_s) continue;
          const CapacityAnswer loaded = ask(q);
          EXPECT_LE(loaded.tpot_ms, tpot * (1 + 1e-9)) << where;
          tpot = loaded.tpot_ms;
        }
      }
    }
  }
  EXPECT_GT(pairs, 1000);
}

// Whichever formats are allowed: a finer one that more cards or more memory hold must not make them
// slower than fewer with a smaller one.
class WhateverTheFormat : public ::testing::TestWithParam<double> {
 protected:
  static CapacityQuery asked(const Model& model, const Accelerator& card, int gpus) {
    CapacityQuery q = query("qwen3-32b", "h100-sxm-80", gpus, "");
    q.model = &model;
    q.accelerator = &card;
    q.weight_bits = GetParam();
    q.targets = {20'000, 200};
    return q;
  }
};

TEST_P(WhateverTheFormat, MoreGpusNeverCarryLessNorAnswerSlower) {
  int pairs = 0;
  for (const Model& model : facts().models()) {
    for (const Accelerator& card : facts().accelerators()) {
      double rate = 0, tpot = INFINITY;
      for (const int gpus : {1, 2, 4, 6, 8}) {
        CapacityQuery q = asked(model, card, gpus);
        const std::string where = model.id + " on " + std::to_string(gpus) + " x " + card.id;
        const auto most = DatasheetCapacity().evaluate(q);
        if (!most || !most->fits) {
          EXPECT_EQ(rate, 0) << where;
          continue;
        }
        ++pairs;
        EXPECT_GE(most->requests_per_s_max, rate * (1 - 1e-9)) << where << " " << most->precision;
        rate = most->requests_per_s_max;
        q.requests_per_s = 0.02;  // equal load, where it is carried within the targets
        if (rate < q.requests_per_s) continue;
        const CapacityAnswer loaded = ask(q);
        EXPECT_LE(loaded.tpot_ms, tpot * (1 + 1e-9)) << where << " " << loaded.precision;
        tpot = loaded.tpot_ms;
      }
    }
  }
  EXPECT_GT(pairs, 500);
}

TEST_P(WhateverTheFormat, MoreMemoryNeverCarriesLess) {
  for (const Model& model : facts().models()) {
    for (Accelerator card : facts().accelerators()) {
      double rate = 0;
      for (int i = 0; i < 4; ++i, card.memory_bytes *= 1.8) {
        const auto most = DatasheetCapacity().evaluate(asked(model, card, 8));
        if (!most) break;  // a fact is not established
        EXPECT_GE(most->requests_per_s_max, rate * (1 - 1e-9))
            << model.id << " on " << card.id << " of " << card.memory_bytes / 1e9 << " GB";
        rate = most->requests_per_s_max;
      }
    }
  }
}

TEST_P(WhateverTheFormat, ATighterTargetNeverCarriesMore) {
  for (const Model& model : facts().models()) {
    for (const Accelerator& card : facts().accelerators()) {
      for (const int gpus : {1, 8}) {
        double last = INFINITY;
        for (const double factor : {4.0, 1.0, 0.4, 0.1, 0.02}) {
          CapacityQuery q = asked(model, card, gpus);
          q.targets = {5'000 * factor, 100 * factor};
          const auto a = DatasheetCapacity().evaluate(q);
          if (!a) break;  // a fact is not established
          EXPECT_LE(a->requests_per_s_max, last * (1 + 1e-9))
              << model.id << " on " << gpus << " x " << card.id << " at " << factor;
          last = a->requests_per_s_max;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(CapacityProperty, WhateverTheFormat, ::testing::Values(4.0, 8.0));

TEST(CapacityProperty, MoreMemoryNeverHoldsFewer) {
  for (const Pair& p : kPairs) {
    Accelerator card = *facts().accelerator(p.card);
    const ModelShape shape = shape_of(*facts().model(p.model), p.precision).value();
    double sessions = 0, rate = 0;
    for (int i = 0; i < 5; ++i) {
      const StepTime t = StepTime::make(shape, card, {4, 1, 1}).value();
      EXPECT_GE(t.sequences_max(8000), sessions) << p.model;
      sessions = t.sequences_max(8000);
      CapacityQuery q = query(p.model, p.card, 8, p.precision);
      q.accelerator = &card;
      const CapacityAnswer a = ask(q);
      EXPECT_GE(a.requests_per_s_max, rate * (1 - 1e-9)) << p.model;
      rate = a.requests_per_s_max;
      card.memory_bytes *= 1.5;
    }
    EXPECT_GT(sessions, 0);
  }
}

TEST(CapacityProperty, BurstierArrivalsNeverCarryMore) {
  CapacityQuery q = query("qwen3-32b", "h100-sxm-80", 1);
  q.targets.ttft_p95_ms = 1500;
  double last = INFINITY;
  for (const double cv : {0.5, 1.0, 2.0, 4.0, 13.2}) {
    q.request.gap_cv = cv;
    const double now = ask(q).requests_per_s_max;
    EXPECT_LE(now, last) << cv;
    last = now;
  }
  EXPECT_GT(last, 0);
}

TEST(DatasheetCapacity, SaysWhyNot) {
  const CapacityAnswer big = ask(query("deepseek-r1", "h100-sxm-80", 8));
  EXPECT_FALSE(big.fits);
  EXPECT_NE(big.why_not.find("do not fit"), std::string::npos) << big.why_not;
  // Of several formats that do not fit it names the smallest, not the one it likes best.
  EXPECT_EQ(ask(query("glm-5.2", "h100-sxm-80", 1, "")).why_not,
            "744 GB of fp8 weights do not fit in the memory");
  // Fewer bits are not taken unasked, but told.
  EXPECT_EQ(ask(query("glm-5.2", "h100-sxm-80", 8, "")).why_not,
            "744 GB of fp8 weights do not fit in the memory (372 GB of mxfp4 would)");
  CapacityQuery long_prompt = query("qwen3-32b", "h200-sxm-141", 8);
  long_prompt.request.prompt_p95 = 100'000;  // its context is 40,960
  EXPECT_NE(ask(long_prompt).why_not.find("context"), std::string::npos);
  CapacityQuery strict = query("qwen3-32b", "h100-sxm-80", 1);
  strict.targets.tpot_ms = 1;
  const CapacityAnswer slow = ask(strict);
  EXPECT_TRUE(slow.fits);
  EXPECT_FALSE(slow.meets_targets);
  EXPECT_EQ(slow.requests_per_s_max, 0);
  EXPECT_FALSE(slow.why_not.empty());
}

TEST(DatasheetCapacity, ChoosesAPrecisionThatFits) {
  CapacityQuery q = query("qwen3-32b", "h100-sxm-80", 1, "");
  EXPECT_EQ(ask(q).precision, "fp8");
  q.accelerator = facts().accelerator("rtx-5090");  // 32 GiB: 8 bits do not fit, 4 do
  EXPECT_FALSE(ask(q).fits);
  q.weight_bits = 4;
  EXPECT_EQ(ask(q).precision, "int4");
  q.weight_bits = 16;
  q.gpus = 8;
  EXPECT_EQ(ask(q).precision, "bf16");
}

std::string chosen(const char* model, const char* card, int gpus) {
  return ask(query(model, card, gpus, "")).precision;
}

TEST(DatasheetCapacity, OffersOnlyFormatsThatTheCardRuns) {
  // NVFP4 is NVIDIA's; the integers that Kimi is released in run everywhere.
  EXPECT_EQ(chosen("kimi-k2.6", "mi300x", 8), "int4");
  EXPECT_EQ(chosen("kimi-k2.6", "h200-sxm-141", 8), "int4");  // no FP4 products to gain from
  EXPECT_EQ(chosen("kimi-k2.6", "b200-sxm-180", 8), "nvfp4");
  EXPECT_EQ(chosen("gpt-oss-120b", "mi300x", 8), "mxfp4");
  EXPECT_EQ(chosen("qwen3.5-122b-a10b", "a100-sxm-80", 8), "fp8");  // weight-only
  EXPECT_EQ(chosen("minimax-m3", "b300-sxm", 8), "mxfp8");
  EXPECT_EQ(chosen("minimax-m3", "mi300x", 8), "bf16");
  // No FP8 in Apple's and none in Strix Halo's arithmetic: llama.cpp's formats.
  EXPECT_EQ(chosen("qwen3.6-35b-a3b", "mac-studio-m5-ultra-256", 1), "q8_k_xl-gguf");
  EXPECT_EQ(chosen("qwen3.6-35b-a3b", "strix-halo-395-128", 1), "q8_k_xl-gguf");
  // A server does not take a GGUF where there is another format.
  EXPECT_EQ(chosen("qwen3-coder-30b-a3b", "h100-sxm-80", 1), "bf16");
  for (const Accelerator& card : facts().accelerators()) {
    EXPECT_EQ(runs(card, "nvfp4"), card.vendor == "nvidia") << card.id;
    EXPECT_TRUE(runs(card, "bf16") && runs(card, "int4")) << card.id;
    if (card.vendor == "apple") EXPECT_FALSE(runs(card, "fp8")) << card.id;
  }
}

TEST(DatasheetCapacity, SaysThatACardRunsNoneOfTheFormats) {
  const auto asked = [](const char* precision) {
    return DatasheetCapacity().evaluate(
        query("mistral-small-4", "strix-halo-395-128", 1, precision));
  };
  for (const char* precision : {"", "nvfp4", "fp8"}) {
    const auto a = asked(precision);
    ASSERT_FALSE(a.has_value()) << precision;
    EXPECT_EQ(a.error().code, base::Code::FailedPrecondition);
    EXPECT_NE(a.error().message.find("does not run the weights"), std::string::npos);
  }
}

TEST(DatasheetCapacity, RefusesNonsense) {
  CapacityQuery q = query("qwen3-32b", "h100-sxm-80", 1);
  q.request.output_mean = 0;
  EXPECT_FALSE(DatasheetCapacity().evaluate(q).has_value());
  q = query("qwen3-32b", "h100-sxm-80", 0);
  EXPECT_FALSE(DatasheetCapacity().evaluate(q).has_value());
  q = query("qwen3-32b", "h100-sxm-80", 1);
  q.request.prefix_reuse_share = 1;
  EXPECT_FALSE(DatasheetCapacity().evaluate(q).has_value());
  q = query("qwen3-32b", "h100-sxm-80", 1);
  q.request.prompt_mean = NAN;
  EXPECT_FALSE(DatasheetCapacity().evaluate(q).has_value());
}

TEST(RequestShape, OfBucketsIsMarkedByItsSpread) {
  WorkloadLoad w;
  w.name = "batch";
  EXPECT_FALSE(request_shape_of(w).has_value());
  w.prompt_tokens_mean = 1000;
  w.output_tokens_mean = 100;
  const auto r = request_shape_of(w);
  ASSERT_TRUE(r.has_value());
  EXPECT_DOUBLE_EQ(r->prompt_p95, 2200);
  w.prompt_tokens_mean = 122'000;
  w.prompt_tokens_most = 200'000;  // the source has no longer ones
  EXPECT_DOUBLE_EQ(request_shape_of(w)->prompt_p95, 200'000);
  w.prompt_tokens_mean = 250'000;  // somebody says so
  EXPECT_DOUBLE_EQ(request_shape_of(w)->prompt_p95, 250'000);
}

}  // namespace
}  // namespace fh::planner
