// What a step computes, as values.
#include "engine/llama/step_plan.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace fh::engine::llama {
namespace {

PrefillView prompt(std::uint32_t slot, std::uint32_t next, std::uint32_t end) {
  PrefillView view;
  view.slot = slot;
  view.next = next;
  view.end = end;
  view.order = slot;
  return view;
}

// Pieces of one chunk: for models whose numbers depend on how a prompt is cut.
constexpr PieceSizes kFixed{128, 128};
constexpr PieceSizes kFree{64, 512};

StepPlan alone(const std::vector<PrefillView>& prompts, std::uint32_t budget,
               const PieceSizes& sizes = kFixed) {
  return make_step_plan({}, prompts, budget, sizes);
}
StepPlan beside(const std::vector<PrefillView>& prompts, std::uint32_t budget) {
  return make_step_plan(std::vector<std::uint32_t>{9}, prompts, budget, kFree);
}

TEST(StepPlan, DecodersComeFirstAndAlways) {
  const std::vector<std::uint32_t> decoders{3, 1};
  const StepPlan plan = make_step_plan(decoders, std::vector{prompt(0, 0, 500)}, 0, kFixed);
  EXPECT_EQ(plan.decoders, decoders);
  EXPECT_TRUE(plan.pieces.empty());
}

TEST(StepPlan, PiecesEndAtFixedPlacesCountedFromZero) {
  const StepPlan plan = alone({prompt(0, 0, 300)}, 1000);
  const std::vector<PrefillPiece> expected{
      {0, 0, 128, false}, {0, 128, 256, false}, {0, 256, 300, true}};
  EXPECT_EQ(plan.pieces, expected);
}

TEST(StepPlan, AResumedPromptIsCutAtTheSamePlaces) {
  const StepPlan plan = alone({prompt(0, 128, 257)}, 1000);
  const std::vector<PrefillPiece> expected{{0, 128, 256, false}, {0, 256, 257, true}};
  EXPECT_EQ(plan.pieces, expected);
}

TEST(StepPlan, AnyBudgetLetsOnePieceThroughAndNoMoreThanItAllows) {
  EXPECT_EQ(alone({prompt(0, 0, 600)}, 1).pieces.size(), 1U);
  EXPECT_EQ(alone({prompt(0, 0, 600)}, 256).pieces.size(), 2U);
  EXPECT_EQ(alone({prompt(0, 0, 600)}, 383).pieces.size(), 2U);
}

TEST(StepPlan, FreeCutsGiveLargePiecesOfWholeChunksAndTheRestByItself) {
  const std::vector<PrefillPiece> expected{
      {0, 0, 384, false}, {0, 384, 768, false}, {0, 768, 780, true}};
  EXPECT_EQ(alone({prompt(0, 0, 780)}, 2000, kFree).pieces, expected);
  const std::vector<PrefillPiece> first{{0, 0, 384, false}};
  EXPECT_EQ(alone({prompt(0, 0, 780)}, 512, kFree).pieces, first);  // not a small one as well
  const std::vector<PrefillPiece> whole{{0, 64, 576, true}};
  EXPECT_EQ(alone({prompt(0, 64, 576)}, 512, kFree).pieces, whole);
  const std::vector<PrefillPiece> within{{0, 0, 256, false}};
  EXPECT_EQ(alone({prompt(0, 0, 780)}, 256, kFree).pieces, within);
}

TEST(StepPlan, APieceThatBeginsWithinAChunkEndsWithIt) {
  const std::vector<PrefillPiece> expected{
      {0, 37, 64, false}, {0, 64, 384, false}, {0, 384, 640, true}};
  EXPECT_EQ(alone({prompt(0, 37, 640)}, 1000, kFree).pieces, expected);
}

TEST(StepPlan, BesideAnswersTheBudgetIsTakenToTheToken) {
  const std::vector<PrefillPiece> small{{0, 0, 9, false}};
  EXPECT_EQ(beside({prompt(0, 0, 500)}, 9).pieces, small);
  const std::vector<PrefillPiece> to_the_cut{{0, 60, 64, false}, {0, 64, 69, false}};
  EXPECT_EQ(beside({prompt(0, 60, 500)}, 9).pieces, to_the_cut);
  const std::vector<PrefillPiece> two{{1, 0, 5, true}, {0, 0, 4, false}};
  EXPECT_EQ(beside({prompt(0, 0, 500), prompt(1, 0, 5)}, 9).pieces, two);
}

TEST(StepPlan, AShortPromptIsNotHeldUpByALongOne) {
  const StepPlan plan = alone({prompt(0, 0, 5000), prompt(1, 0, 40)}, 128);
  ASSERT_EQ(plan.pieces.size(), 1U);
  EXPECT_EQ(plan.pieces[0], (PrefillPiece{1, 0, 40, true}));
  // Nor is its first token, although there is room for more.
  EXPECT_EQ(alone({prompt(0, 0, 5000), prompt(1, 0, 40)}, 2000).pieces, plan.pieces);
}

TEST(StepPlan, TheTenantThatWasGivenLeastGoesFirst) {
  auto rich = prompt(0, 0, 100);
  rich.service = 9000;
  auto poor = prompt(1, 0, 5000);
  poor.service = 10;
  const StepPlan plan = alone({rich, poor}, 128);
  ASSERT_FALSE(plan.pieces.empty());
  EXPECT_EQ(plan.pieces[0].slot, 1U);
}

TEST(StepPlan, APromptThatWaitedTooLongGoesBeforeAll) {
  auto starved = prompt(0, 0, 5000);
  starved.service = 1'000'000;
  starved.waited = kWaitedMax;
  const StepPlan plan = alone({prompt(1, 0, 20), starved}, 128);
  EXPECT_EQ(plan.pieces[0].slot, 0U);
}

// However budgets and loads fall, a prompt is computed in one and the same sequence of pieces.
TEST(StepPlan, FixedPiecesDoNotDependOnBudgetsOrOtherPrompts) {
  std::mt19937 rng(3);
  constexpr PieceSizes kSizes{64, 64};
  for (int round = 0; round < 200; ++round) {
    const std::uint32_t end = 1 + rng() % 1500;
    std::vector<PrefillPiece> seen;
    std::uint32_t next = 0;
    while (next < end) {
      std::vector<PrefillView> prompts{prompt(0, next, end)};
      if (rng() % 2 == 0) prompts.push_back(prompt(1, 0, 1 + rng() % 700));
      const StepPlan plan = alone(prompts, rng() % 600, kSizes);
      for (const PrefillPiece& piece : plan.pieces) {
        if (piece.slot != 0) continue;
        ASSERT_EQ(piece.begin, next);
        next = piece.end;
        seen.push_back(piece);
      }
    }
    ASSERT_EQ(seen, alone({prompt(0, 0, end)}, 100'000, kSizes).pieces);
  }
}

// Free pieces: every cut is one between chunks, but for what lies behind the last of them, whatever
// was there already and whatever the budgets are.
TEST(StepPlan, FreePiecesAreWholeChunksWhateverWasCached) {
  std::mt19937 rng(5);
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t end = 1 + rng() % 2500;
    std::uint32_t next = rng() % end / 64 * 64;
    while (next < end) {
      for (const PrefillPiece& piece :
           alone({prompt(0, next, end)}, 1 + rng() % 900, kFree).pieces) {
        ASSERT_EQ(piece.begin, next);
        ASSERT_EQ(piece.begin % 64, 0U);
        ASSERT_LE(piece.size(), 512U);
        ASSERT_TRUE(piece.end % 64 == 0 || (piece.end == end && piece.size() < 64));
        next = piece.end;
      }
    }
  }
}

}  // namespace
}  // namespace fh::engine::llama
