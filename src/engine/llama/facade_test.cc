// The facade on a real model: it refuses what would end the process, and its record of the memory
// stays the library's. Needs FH_TEST_MODEL, the path of a small GGUF file.
#include "engine/llama/facade.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "engine/llama/loader.h"
#include "engine/llama/sampler.h"

namespace fh::engine::llama {
namespace {

const char* model_path() {
  return std::getenv("FH_TEST_MODEL");
}

std::shared_ptr<const Model> shared_model() {
  static const auto model = [] {
    auto loaded = Model::load({model_path(), false, {}});
    EXPECT_TRUE(loaded.has_value());
    return loaded ? *loaded : nullptr;
  }();
  return model;
}

class FacadeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (model_path() == nullptr) GTEST_SKIP() << "FH_TEST_MODEL is not set";
    ASSERT_NE(shared_model(), nullptr);
    auto created = Context::create(shared_model(), options());
    ASSERT_TRUE(created.has_value()) << created.error().text();
    context = std::move(*created);
  }
  static Context::Options options() { return {256, 3, 32, 4, 1}; }

  base::Status decode(SequenceId sequence, std::uint32_t begin, std::uint32_t count, bool output) {
    Batch batch;
    for (std::uint32_t i = 0; i < count; ++i) {
      batch.add({static_cast<Token>(100 + (begin + i) * 13 % 1000),
                 static_cast<Position>(begin + i), sequence, output && i + 1 == count});
    }
    return context->decode(batch);
  }
  std::vector<float> logits(std::size_t row) const {
    const auto span = context->logits(row);
    return {span.begin(), span.end()};
  }
  std::unique_ptr<Context> context;
};

TEST(ModelLoad, ReportsAMissingAndADamagedFile) {
  const auto missing = Model::load({"/nonexistent/model.gguf", true, {}});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, base::Code::NotFound);
  const auto wrong = Model::load({"/proc/self/exe", true, {}});
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, base::Code::FailedPrecondition);
}

TEST_F(FacadeTest, TheLowerBoundOfTokensIsOne) {
  const Model& model = *shared_model();
  std::mt19937 rng(23);
  const std::vector<std::string> parts{
      "a",        "word ",  "  ", "\n\n",         std::string(300, ' '), std::string(200, '='),
      "日本",     "\u00e9", "🙂", "<|im_start|>", "<|im_end|>\n",        "0123456789",
      "\t\t\t\t", "\x01"};
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (std::size_t i = rng() % 60; i > 0; --i) text += parts[rng() % parts.size()];
    const auto tokens = model.tokenize(text, false, true);
    ASSERT_TRUE(tokens.has_value());
    ASSERT_LE(model.tokens_at_least(text), tokens->size()) << text;
  }
  EXPECT_GT(model.tokens_at_least(std::string(1 << 20, 'a')), 1000U);
  EXPECT_EQ(model.tokens_at_least(""), 0U);
}

TEST_F(FacadeTest, KnowsItsModel) {
  const Model& model = *shared_model();
  EXPECT_GT(model.vocabulary_size(), 1000U);
  EXPECT_GE(model.training_context(), 2048U);
  EXPECT_GT(model.kv_bytes_per_token(), 1000U);
  EXPECT_FALSE(model.architecture().empty());
  EXPECT_EQ(model.meta("no.such.key"), "");
  const auto tokens = model.tokenize("Hello, wörld! 日本語 🙂", false, true);
  ASSERT_TRUE(tokens.has_value());
  std::string text;
  for (const Token t : *tokens) text += model.piece(t);
  EXPECT_EQ(text, "Hello, wörld! 日本語 🙂");
  EXPECT_EQ(model.piece(-1), "");
  EXPECT_EQ(model.piece(1'000'000'000), "");
  EXPECT_FALSE(model.is_end(-1));
}

TEST_F(FacadeTest, RefusesEveryContractViolation) {
  const auto refused = [&](std::vector<Batch::Row> rows) {
    Batch batch;
    for (const auto& row : rows) batch.add(row);
    const auto status = context->decode(batch);
    return !status && status.error().code == base::Code::InvalidArgument;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({{5, 0, 3, false}}));  // the scratch sequence is not for callers
  EXPECT_TRUE(refused({{5, 0, -1, false}}));
  EXPECT_TRUE(refused({{5, 0, 4000, false}}));
  EXPECT_TRUE(refused({{-1, 0, 0, false}}));
  EXPECT_TRUE(refused({{static_cast<Token>(shared_model()->vocabulary_size()), 0, 0, false}}));
  EXPECT_TRUE(refused({{5, 1, 0, false}}));  // not consecutive
  EXPECT_TRUE(refused({{5, -1, 0, false}}));
  EXPECT_TRUE(refused({{5, 0, 0, false}, {5, 0, 0, false}}));
  EXPECT_TRUE(refused({{5, 0, 0, false}, {5, 2, 0, false}}));
  EXPECT_TRUE(refused(std::vector<Batch::Row>(33, {5, 0, 0, false})));
  std::vector<Batch::Row> outputs;
  for (Position p = 0; p < 5; ++p) outputs.push_back({5, p, 0, true});
  EXPECT_TRUE(refused(outputs));
  EXPECT_TRUE(context->logits(0).empty());
  EXPECT_FALSE(context->fork(0, 1, 1).has_value());
  EXPECT_FALSE(context->trim(0, 1).has_value());
  EXPECT_FALSE(context->trim(3, 0).has_value());
  EXPECT_FALSE(context->save(0, 0, 1).has_value());
  EXPECT_FALSE(context->restore(0, BlockData(100), 0, 4).has_value());
  EXPECT_TRUE(context->consistent());
  ASSERT_TRUE(decode(0, 0, 3, true).has_value());
  EXPECT_TRUE(context->logits(0).empty());
  EXPECT_EQ(context->logits(2).size(), shared_model()->vocabulary_size());
}

TEST_F(FacadeTest, ThePoolFitsItsMemoryAndHoldsAtLeastOneContext) {
  const Model& model = *shared_model();
  const std::uint64_t token = model.kv_bytes_per_token();
  const std::uint32_t trained = model.training_context();
  const auto size = [&](std::uint32_t context, std::uint32_t sequences, std::uint64_t tokens) {
    return pool_size(model, {context, sequences, tokens * token}).value();
  };
  EXPECT_EQ(size(0, 8, 1'000'000).context_tokens, trained);
  EXPECT_EQ(size(0, 8, 1'000'000).cells, trained * kContextsMax);
  EXPECT_EQ(size(0, 1, 1'000'000).cells, trained);
  EXPECT_EQ(size(0, 8, 1000).context_tokens, 1000U);
  EXPECT_EQ(size(256, 8, 0).context_tokens, 256U);
  EXPECT_EQ(size(256, 8, 0).cells, 256U);
  EXPECT_EQ(size(1024, 4, 3000).cells, 3000U);
  const auto too_much = pool_size(model, {trained + 1, 1, 1 << 30});
  ASSERT_FALSE(too_much.has_value());
  EXPECT_EQ(too_much.error().field, "context_tokens");
}

TEST_F(FacadeTest, ContextOptionsThatCannotWorkAreRefused) {
  EXPECT_FALSE(Context::create(shared_model(), {256, 300, 512, 4, 1}).has_value());
  EXPECT_FALSE(Context::create(shared_model(), {256, 8, 8, 4, 1}).has_value());
  EXPECT_FALSE(Context::create(shared_model(), {0, 3, 32, 4, 1}).has_value());
  auto few_outputs = Context::create(shared_model(), {256, 8, 32, 1, 1});
  ASSERT_TRUE(few_outputs.has_value());
  context = std::move(*few_outputs);
  EXPECT_TRUE(decode(7, 0, 4, true).has_value());
}

TEST_F(FacadeTest, AFullPoolIsAnErrorThatChangesNothing) {
  auto small = Context::create(shared_model(), {64, 3, 32, 4, 1});
  ASSERT_TRUE(small.has_value());
  context = std::move(*small);
  const std::uint32_t cells = context->cells_max();
  for (std::uint32_t at = 0; at < cells; at += 32) {
    ASSERT_TRUE(decode(0, at, 32, false).has_value());
  }
  const auto status = decode(1, 0, 1, true);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::ResourceExhausted);
  EXPECT_EQ(context->length(1), 0U);
  EXPECT_TRUE(context->consistent());
  ASSERT_TRUE(context->trim(0, cells - 1).has_value());
  EXPECT_TRUE(decode(1, 0, 1, true).has_value());
}

TEST_F(FacadeTest, RestoredAndForkedMemoryContinuesToTheBit) {
  ASSERT_TRUE(decode(0, 0, 32, false).has_value());
  ASSERT_TRUE(decode(0, 32, 8, false).has_value());
  const auto first = context->save(0, 0, 32);
  const auto second = context->save(0, 32, 40);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(decode(0, 40, 1, true).has_value());
  const auto expected = logits(0);
  context->clear_all();
  ASSERT_TRUE(context->restore(2, *first, 0, 32).has_value());
  ASSERT_TRUE(context->restore(2, *second, 32, 40).has_value());
  ASSERT_TRUE(context->fork(2, 1, 40).has_value());
  ASSERT_TRUE(decode(2, 40, 1, true).has_value());
  EXPECT_EQ(std::memcmp(logits(0).data(), expected.data(), expected.size() * sizeof(float)), 0);
  ASSERT_TRUE(decode(1, 40, 1, true).has_value());
  EXPECT_EQ(std::memcmp(logits(0).data(), expected.data(), expected.size() * sizeof(float)), 0);
  EXPECT_EQ(proven_reuse(*context), shared_model()->reuse_kind());
  EXPECT_EQ(context->cells_used(), 0U);
}

// What a server settles in its first idle seconds, and that it then holds for other cuts and tokens
// than those that were tried.
TEST_F(FacadeTest, WholeChunksGiveTheSameNumbersHoweverTheyAreCut) {
  auto created = Context::create(shared_model(), {320, 1, 256, 1, 1});
  ASSERT_TRUE(created.has_value());
  context = std::move(*created);
  const auto never = [] { return false; };
  const auto free = cuts_are_free(*context, 64, 256, never);
  ASSERT_TRUE(free.has_value());
  EXPECT_TRUE(*free);  // rows of a batch are computed alike on a CPU
  EXPECT_EQ(context->cells_used(), 0U);
  std::vector<BlockData> seen;
  using Cuts = std::vector<std::uint32_t>;
  for (const Cuts& cuts : {Cuts{256}, Cuts{64, 256}, Cuts{128, 192, 256}, Cuts{192, 256}}) {
    context->clear_all();
    std::uint32_t at = 0;
    for (const std::uint32_t cut : cuts) {
      ASSERT_TRUE(decode(0, at, cut - at, false).has_value());
      at = cut;
    }
    const auto saved = context->save(0, 0, 256);
    ASSERT_TRUE(saved.has_value());
    seen.push_back(*saved);
    EXPECT_EQ(seen.back(), seen.front());
  }
  EXPECT_FALSE(cuts_are_free(*context, 64, 320, never).has_value());  // above one batch
  EXPECT_FALSE(cuts_are_free(*context, 64, 256, [] { return true; }).has_value());
  EXPECT_EQ(context->cells_used(), 0U);
}

TEST_F(FacadeTest, ABatchThatIsGivenUpChangesNothing) {
  ASSERT_TRUE(decode(0, 0, 16, false).has_value());
  Batch batch;
  for (int i = 16; i < 48; ++i) batch.add({100 + i, i, 0, i == 47});
  int asked = 0;
  const auto status = context->decode(batch, [&] { return ++asked > 20; });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::Cancelled);
  EXPECT_EQ(asked, 21);
  EXPECT_EQ(context->length(0), 16U);
  EXPECT_TRUE(context->consistent());
  EXPECT_TRUE(context->logits(31).empty());
  ASSERT_TRUE(context->decode(batch).has_value());
  EXPECT_FALSE(context->logits(31).empty());
}

TEST_F(FacadeTest, DamagedBlocksAreRefused) {
  ASSERT_TRUE(decode(0, 0, 16, false).has_value());
  const auto block = context->save(0, 0, 16);
  ASSERT_TRUE(block.has_value());
  ASSERT_TRUE(context->trim(0, 0).has_value());
  EXPECT_FALSE(context->restore(0, {}, 0, 16).has_value());
  BlockData cut(block->begin(), block->begin() + static_cast<std::ptrdiff_t>(block->size() / 2));
  EXPECT_FALSE(context->restore(0, cut, 0, 16).has_value());
  BlockData magic = *block;
  magic[0] ^= 0xFF;
  EXPECT_FALSE(context->restore(0, magic, 0, 16).has_value());
  EXPECT_FALSE(context->restore(0, *block, 0, 12).has_value());
  EXPECT_EQ(context->length(0), 0U);
  EXPECT_TRUE(context->consistent());
  EXPECT_TRUE(context->restore(0, *block, 0, 16).has_value());
}

// Random operations, legal and not, against lengths kept by the test.
TEST_F(FacadeTest, RandomOperationsNeverEndTheProcess) {
  std::mt19937 rng(20261124);
  std::vector<std::uint32_t> lengths(3, 0);
  std::vector<std::pair<BlockData, std::pair<std::uint32_t, std::uint32_t>>> blocks;
  for (int round = 0; round < 400; ++round) {
    const auto s = static_cast<SequenceId>(rng() % 5) - 1;
    const auto t = static_cast<SequenceId>(rng() % 5) - 1;
    const bool real = s >= 0 && s < 3;
    const std::uint32_t mine = real ? lengths[static_cast<std::size_t>(s)] : 0;
    switch (rng() % 6) {
      case 0:
      case 1: {
        const std::uint32_t count = rng() % 10 == 0 ? 40 : rng() % 6;
        const std::uint32_t begin = rng() % 8 == 0 ? rng() % 300 : mine;
        const auto status = decode(s, begin, count, rng() % 2 == 0);
        if (status) {
          ASSERT_TRUE(real && count > 0 && count <= 32 && begin == mine);
          lengths[static_cast<std::size_t>(s)] += count;
        }
        break;
      }
      case 2: {
        const std::uint32_t n = rng() % 40;
        if (context->trim(s, n)) {
          ASSERT_TRUE(real && n <= mine);
          lengths[static_cast<std::size_t>(s)] = n;
        }
        break;
      }
      case 3: {
        const std::uint32_t n = rng() % 30;
        if (context->fork(s, t, n)) {
          ASSERT_TRUE(real && t >= 0 && t < 3 && n <= mine &&
                      lengths[static_cast<std::size_t>(t)] == 0);
          lengths[static_cast<std::size_t>(t)] = n;
        }
        break;
      }
      case 4: {
        const std::uint32_t begin = rng() % 20;
        const std::uint32_t end = rng() % 30;
        auto saved = context->save(s, begin, end);
        if (saved) {
          ASSERT_TRUE(real && begin < end && end <= mine);
          blocks.emplace_back(std::move(*saved), std::pair(begin, end));
        }
        break;
      }
      default: {
        if (blocks.empty()) break;
        const auto& [data, range] = blocks[rng() % blocks.size()];
        if (context->restore(s, data, range.first, range.second)) {
          ASSERT_TRUE(real && range.first == mine);
          lengths[static_cast<std::size_t>(s)] = range.second;
        }
      }
    }
    if (rng() % 100 == 0) {
      context->clear_all();
      lengths.assign(3, 0);
    }
    for (SequenceId q = 0; q < 3; ++q) {
      ASSERT_EQ(context->length(q), lengths[static_cast<std::size_t>(q)]);
    }
    ASSERT_TRUE(context->consistent()) << "round " << round;
  }
}

TEST_F(FacadeTest, LogprobsSumToOneAndNameTheTopTokens) {
  ASSERT_TRUE(decode(0, 0, 4, true).has_value());
  const auto row = context->logits(3);
  const auto greedy = static_cast<Token>(std::ranges::max_element(row) - row.begin());
  const auto lp = token_logprob(*shared_model(), row, greedy, 5);
  ASSERT_EQ(lp.top.size(), 5U);
  EXPECT_EQ(lp.top[0].logprob, lp.logprob);
  EXPECT_EQ(lp.top[0].bytes, lp.bytes);
  EXPECT_GE(lp.top[0].logprob, lp.top[1].logprob);
  double sum = 0;
  for (std::size_t t = 0; t < row.size(); ++t) {
    const auto best = static_cast<double>(row[static_cast<std::size_t>(greedy)]);
    sum += std::exp(static_cast<double>(row[t]) - best + lp.logprob);
  }
  EXPECT_NEAR(sum, 1.0, 1e-6);
  EXPECT_GE(top_margin(row), 0.0F);
}

TEST_F(FacadeTest, GreedySamplingTakesTheLargestLogitAndSeedsRepeat) {
  ASSERT_TRUE(decode(0, 0, 8, true).has_value());
  const auto row = context->logits(7);
  const auto greedy = static_cast<Token>(std::ranges::max_element(row) - row.begin());
  domain::Sampling sampling;
  sampling.temperature = 0;
  auto sampler = Sampler::create(*shared_model(), sampling, {}, 1);
  ASSERT_TRUE(sampler.has_value());
  EXPECT_EQ((*sampler)->next(*context, 7).value(), greedy);
  EXPECT_FALSE((*sampler)->next(*context, 3).has_value());  // no logits there

  sampling.temperature = 1.5;
  sampling.top_k = 0;
  sampling.top_p = 1;
  sampling.min_p = 0;
  const auto draw = [&](std::uint64_t seed) {
    auto drawn = Sampler::create(*shared_model(), sampling, {}, seed);
    std::vector<Token> tokens;
    for (int i = 0; i < 12; ++i) tokens.push_back((*drawn)->next(*context, 7).value());
    return tokens;
  };
  EXPECT_EQ(draw(42), draw(42));
  EXPECT_NE(draw(42), draw(43));
  EXPECT_EQ(draw(0xFFFFFFFF), draw(0xFFFFFFFF));  // not taken for "no seed"

  sampling.logit_bias = {{greedy == 7 ? 8 : 7, 100.0}};
  auto biased = Sampler::create(*shared_model(), sampling, {}, 1);
  EXPECT_EQ((*biased)->next(*context, 7).value(), greedy == 7 ? 8 : 7);
  sampling.logit_bias = {{1'000'000'000, 1.0}};
  const auto outside = Sampler::create(*shared_model(), sampling, {}, 1);
  ASSERT_FALSE(outside.has_value());
  EXPECT_EQ(outside.error().field, "logit_bias");
}

TEST(FamilySampling, IsKnownByTheBeginningOfAName) {
  EXPECT_EQ(family_sampling("Qwen2.5-Coder"), (SamplingDefaults{0.7F, 20, 0.8F}));
  EXPECT_FALSE(family_sampling("DeepSeek-R1-Distill-Qwen2.5"));  // has its publisher's own
  EXPECT_FALSE(family_sampling(""));
}

}  // namespace
}  // namespace fh::engine::llama
