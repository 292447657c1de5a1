// What a step computes, as values.
#include "engine/llama/step_plan.h"

#include <gtest/gtest.h>

#include <random>

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

TEST(StepPlan, DecodersComeFirstAndAlways) {
  const std::vector<std::uint32_t> decoders{3, 1};
  const StepPlan plan = make_step_plan(decoders, std::vector{prompt(0, 0, 500)}, 0, 128);
  EXPECT_EQ(plan.decoders, decoders);
  EXPECT_TRUE(plan.pieces.empty());
}

TEST(StepPlan, PiecesEndAtFixedPlacesCountedFromZero) {
  const StepPlan plan = make_step_plan({}, std::vector{prompt(0, 0, 300)}, 1000, 128);
  const std::vector<PrefillPiece> expected{
      {0, 0, 128, false}, {0, 128, 256, false}, {0, 256, 300, true}};
  EXPECT_EQ(plan.pieces, expected);
}

TEST(StepPlan, AResumedPromptIsCutAtTheSamePlaces) {
  const StepPlan plan = make_step_plan({}, std::vector{prompt(0, 128, 257)}, 1000, 128);
  const std::vector<PrefillPiece> expected{{0, 128, 256, false}, {0, 256, 257, true}};
  EXPECT_EQ(plan.pieces, expected);
}

TEST(StepPlan, AnyBudgetLetsOnePieceThroughAndNoMoreThanItAllows) {
  EXPECT_EQ(make_step_plan({}, std::vector{prompt(0, 0, 600)}, 1, 128).pieces.size(), 1U);
  EXPECT_EQ(make_step_plan({}, std::vector{prompt(0, 0, 600)}, 256, 128).pieces.size(), 2U);
  EXPECT_EQ(make_step_plan({}, std::vector{prompt(0, 0, 600)}, 383, 128).pieces.size(), 2U);
}

TEST(StepPlan, AShortPromptIsNotHeldUpByALongOne) {
  const StepPlan plan =
      make_step_plan({}, std::vector{prompt(0, 0, 5000), prompt(1, 0, 40)}, 128, 128);
  ASSERT_EQ(plan.pieces.size(), 1U);
  EXPECT_EQ(plan.pieces[0], (PrefillPiece{1, 0, 40, true}));
}

TEST(StepPlan, TheTenantThatWasGivenLeastGoesFirst) {
  auto rich = prompt(0, 0, 100);
  rich.service = 9000;
  auto poor = prompt(1, 0, 5000);
  poor.service = 10;
  const StepPlan plan = make_step_plan({}, std::vector{rich, poor}, 128, 128);
  ASSERT_FALSE(plan.pieces.empty());
  EXPECT_EQ(plan.pieces[0].slot, 1U);
}

TEST(StepPlan, APromptThatWaitedTooLongGoesBeforeAll) {
  auto starved = prompt(0, 0, 5000);
  starved.service = 1'000'000;
  starved.waited = kWaitedMax;
  const StepPlan plan = make_step_plan({}, std::vector{prompt(1, 0, 20), starved}, 128, 128);
  EXPECT_EQ(plan.pieces[0].slot, 0U);
}

// However budgets and loads fall, a prompt is computed in one and the same sequence of pieces.
TEST(StepPlan, PiecesDoNotDependOnBudgetsOrCompany) {
  std::mt19937 rng(3);
  for (int round = 0; round < 200; ++round) {
    const std::uint32_t end = 1 + rng() % 1500;
    std::vector<PrefillPiece> seen;
    std::uint32_t next = 0;
    while (next < end) {
      std::vector<PrefillView> prompts{prompt(0, next, end)};
      if (rng() % 2 == 0) prompts.push_back(prompt(1, 0, 1 + rng() % 700));
      const StepPlan plan = make_step_plan({}, prompts, rng() % 600, 64);
      for (const PrefillPiece& piece : plan.pieces) {
        if (piece.slot != 0) continue;
        ASSERT_EQ(piece.begin, next);
        next = piece.end;
        seen.push_back(piece);
      }
    }
    const StepPlan whole = make_step_plan({}, std::vector{prompt(0, 0, end)}, 100'000, 64);
    ASSERT_EQ(seen, whole.pieces);
  }
}

}  // namespace
}  // namespace fh::engine::llama
