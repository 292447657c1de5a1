// Goal: an event counts once, its largest reading stays, and what it counted as comes back exactly,
// also for numbers at the ends of their range and after the table has grown many times. Method: a
// plain map as the model, random events.

#include "importers/seen.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace fh::importers {
namespace {

Share share_of(std::uint64_t output, std::int64_t cost = 0) {
  Share share;
  share.usage.output = output;
  share.cost_micro_usd = cost;
  return share;
}

TEST(SeenEvents, TheLargestReadingStays) {
  SeenEvents seen;
  const std::uint64_t event = SeenEvents::event_of(SeenEvents::kind_of("f"), "1");
  EXPECT_EQ(seen.add(event, share_of(5)).verdict, SeenEvents::Verdict::New);
  EXPECT_EQ(seen.add(event, share_of(5)).verdict, SeenEvents::Verdict::Repeated);
  EXPECT_EQ(seen.add(event, share_of(4)).verdict, SeenEvents::Verdict::Repeated);
  const auto larger = seen.add(event, share_of(9));
  EXPECT_EQ(larger.verdict, SeenEvents::Verdict::Larger);
  EXPECT_EQ(larger.before, share_of(5));
  EXPECT_EQ(seen.add(event, share_of(8)).verdict, SeenEvents::Verdict::Repeated);
  EXPECT_EQ(seen.size(), 1U);
}

TEST(SeenEvents, CostsDecideWhereThereAreNoTokens) {
  SeenEvents seen;
  EXPECT_EQ(seen.add(1, share_of(0, -5)).verdict, SeenEvents::Verdict::New);
  const auto larger = seen.add(1, share_of(0, 7));
  EXPECT_EQ(larger.verdict, SeenEvents::Verdict::Larger);
  EXPECT_EQ(larger.before.cost_micro_usd, -5);
  EXPECT_EQ(seen.add(1, share_of(0, 6)).verdict, SeenEvents::Verdict::Repeated);
}

// A side conversation may replay an answer of the main one, whose own reading is right.
TEST(SeenEvents, AMainReadingBeatsALargerOneFromTheSide) {
  SeenEvents seen;
  Share side = share_of(50);
  side.side = true;
  EXPECT_EQ(seen.add(1, side).verdict, SeenEvents::Verdict::New);
  const auto larger = seen.add(1, share_of(5));
  EXPECT_EQ(larger.verdict, SeenEvents::Verdict::Larger);
  EXPECT_EQ(larger.before, side);
  EXPECT_EQ(seen.add(1, side).verdict, SeenEvents::Verdict::Repeated);
  side.usage.output = 60;
  EXPECT_EQ(seen.add(1, side).verdict, SeenEvents::Verdict::Repeated);
}

TEST(SeenEvents, KeepsEveryField) {
  Share share;
  share.model = UINT32_MAX;
  share.cost_kind = domain::CostKind::Included;
  share.cost_micro_usd = INT64_MIN;
  share.requests = UINT64_MAX;
  share.web_searches = 1;
  share.side = true;
  share.usage = {1, 127, 128, 16'384, UINT64_MAX >> 8, 300, 299};
  SeenEvents seen;
  seen.add(7, share);
  Share more = share;
  more.usage.output += 1;
  EXPECT_EQ(seen.add(7, more).before, share);
}

void agrees_with_a_map(SeenEvents seen) {
  std::map<std::string, std::uint64_t> model;
  std::mt19937_64 random(42);
  for (int i = 0; i < 200'000; ++i) {
    const std::string id = std::to_string(random() % 50'000);
    const std::uint64_t value = random() % 1000;
    const auto answer =
        seen.add(SeenEvents::event_of(SeenEvents::kind_of("format"), id), share_of(value));
    const auto [known, added] = model.try_emplace(id, value);
    if (added) {
      ASSERT_EQ(answer.verdict, SeenEvents::Verdict::New);
    } else if (value > known->second) {
      ASSERT_EQ(answer.verdict, SeenEvents::Verdict::Larger);
      ASSERT_EQ(answer.before.usage.output, known->second);
      known->second = value;
    } else {
      ASSERT_EQ(answer.verdict, SeenEvents::Verdict::Repeated);
    }
  }
  EXPECT_EQ(seen.size(), model.size());
  EXPECT_FALSE(seen.overflowed());
  for (const auto& [id, value] : model) {
    const std::uint64_t event = SeenEvents::event_of(SeenEvents::kind_of("format"), id);
    ASSERT_EQ(seen.look(event, share_of(value)).verdict, SeenEvents::Verdict::Repeated);
    const auto larger = seen.look(event, share_of(value + 1));
    ASSERT_EQ(larger.verdict, SeenEvents::Verdict::Larger);
    ASSERT_EQ(larger.before, share_of(value));
  }
  EXPECT_EQ(seen.look(1, share_of(1)).verdict, SeenEvents::Verdict::New);
}

TEST(SeenEvents, AgreesWithAMap) {
  agrees_with_a_map(SeenEvents());
}

// Every event is on the disk many times over.
TEST(SeenEvents, AgreesWithAMapWithLittleMemory) {
  agrees_with_a_map(SeenEvents(SeenEvents::kEventsMax, 3000));
}

TEST(SeenEvents, AnEventThatGrowsForEverTakesRoomOnce) {
  SeenEvents seen;
  Share share;
  for (std::uint64_t tokens = 1; tokens < (std::uint64_t{1} << 60); tokens += tokens / 7 + 1) {
    const Share before = share;
    share.usage.output = share.requests = tokens;
    const auto answer = seen.add(77, share);
    ASSERT_EQ(answer.verdict, tokens == 1 ? SeenEvents::Verdict::New : SeenEvents::Verdict::Larger);
    if (tokens > 1) ASSERT_EQ(answer.before, before);
    ASSERT_NE(seen.add(78 + tokens % 50, share_of(1)).verdict, SeenEvents::Verdict::Larger);
  }
  EXPECT_LE(seen.size(), 51U);
}

TEST(SeenEvents, IsBounded) {
  SeenEvents seen(1000);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    seen.add(SeenEvents::event_of(SeenEvents::kind_of("f"), std::to_string(i)), share_of(1));
  }
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_TRUE(seen.overflowed());
  EXPECT_EQ(seen.add(SeenEvents::event_of(SeenEvents::kind_of("f"), "5"), share_of(1)).verdict,
            SeenEvents::Verdict::Repeated);
  EXPECT_EQ(seen.add(SeenEvents::event_of(SeenEvents::kind_of("f"), "4999"), share_of(1)).verdict,
            SeenEvents::Verdict::New);
}

TEST(SeenEvents, FormatsHaveTheirOwnEvents) {
  EXPECT_NE(SeenEvents::event_of(SeenEvents::kind_of("a"), "bc"),
            SeenEvents::event_of(SeenEvents::kind_of("ab"), "c"));
  EXPECT_NE(SeenEvents::event_of(SeenEvents::kind_of("a"), "b"),
            SeenEvents::event_of(SeenEvents::kind_of("b"), "a"));
}

}  // namespace
}  // namespace fh::importers
