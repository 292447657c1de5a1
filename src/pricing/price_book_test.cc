// Known prices of the bundled book, the arithmetic against an independent calculation, and what
// must stay unpriced.

#include "pricing/price_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

namespace fh::pricing {
namespace {

using domain::Usage;

std::int64_t at(int year, unsigned month, unsigned day, int hour = 12, int minute = 0) {
  const std::chrono::sys_days date(std::chrono::year(year) / month / day);
  const auto time = date + std::chrono::hours(hour) + std::chrono::minutes(minute);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// input, cache read, write 5m, 30m, 1h, output.
Usage usage(std::uint64_t input, std::uint64_t read, std::uint64_t write_5m, std::uint64_t output) {
  Usage u;
  u.input_uncached = input;
  u.cache_read = read;
  u.cache_write_5m = write_5m;
  u.output = output;
  return u;
}

std::int64_t cost(std::string_view model, const Usage& u, std::int64_t when,
                  Tier tier = Tier::Standard) {
  const auto quote = PriceBook::bundled().price({model, u, when, tier});
  EXPECT_TRUE(quote.has_value()) << model << ": " << (quote ? "" : quote.error().text());
  return quote ? quote->cost.value : -1;
}

// micro-USD per million tokens of one class, below every band.
std::int64_t rate(std::string_view model, std::int64_t when, const Usage& hundred_thousand,
                  Tier tier = Tier::Standard) {
  return cost(model, hundred_thousand, when, tier) * 10;
}
const Usage kInput = usage(100'000, 0, 0, 0);
const Usage kRead = usage(0, 100'000, 0, 0);
const Usage kOutput = usage(0, 0, 0, 100'000);

TEST(BundledBook, HasThePublishedPrices) {
  struct Known {
    const char* id;
    double input, read, output;
  };
  const std::int64_t when = at(2026, 11, 22);  // a Sunday: no peak window
  for (const auto& k :
       {Known{"anthropic/claude-fable-5-1", 10, 0.25, 50},
        Known{"anthropic/claude-opus-5-5", 4, 0.2, 20},
        Known{"anthropic/claude-sonnet-5-5", 2, 0.1, 10},
        Known{"anthropic/claude-haiku-5-5", 0.1, 0.01, 0.5},
        Known{"anthropic/claude-opus-5", 5, 0.5, 25},
        Known{"anthropic/claude-sonnet-5", 2, 0.2, 10}, Known{"openai/gpt-6-astra", 10, 1, 50},
        Known{"openai/gpt-6.1-sol", 2, 0.1, 10}, Known{"openai/gpt-6-sol", 2, 0.2, 10},
        Known{"openai/gpt-6.1-terra", 1, 0.05, 5}, Known{"openai/gpt-6-luna", 0.1, 0.01, 0.5},
        Known{"openai/gpt-5.6-sol", 4, 0.4, 20}, Known{"openai/gpt-5.6-terra", 2, 0.2, 12},
        Known{"openai/gpt-5.6-luna", 0.2, 0.02, 1.2}, Known{"google/gemini-4-argon", 2, 0.1, 10},
        Known{"google/gemini-3.6-flash", 0.75, 0.075, 3.75},
        Known{"deepseek/deepseek-flash", 0.15, 0.003, 0.6},
        Known{"deepseek/deepseek-v4-pro", 0.66, 0.022, 1.98}}) {
    EXPECT_EQ(rate(k.id, when, kInput), std::llround(k.input * 1e6)) << k.id;
    EXPECT_EQ(rate(k.id, when, kRead), std::llround(k.read * 1e6)) << k.id;
    EXPECT_EQ(rate(k.id, when, kOutput), std::llround(k.output * 1e6)) << k.id;
  }
}

TEST(BundledBook, HaikuAbove100kRepricesTheWholeRequest) {
  const std::int64_t when = at(2026, 11, 22);
  EXPECT_EQ(cost("claude-haiku-5-5", usage(60'000, 30'000, 10'000, 1'000), when), 8'050);
  // One token more: every class takes the higher rate, and 40,250.5 rounds to the even neighbour.
  EXPECT_EQ(cost("claude-haiku-5-5", usage(60'001, 30'000, 10'000, 1'000), when), 40'250);
  const auto quote =
      PriceBook::bundled().price({"claude-haiku-5-5", usage(60'001, 30'000, 10'000, 0), when, {}});
  ASSERT_TRUE(quote.has_value());
  EXPECT_EQ(quote->band, ">100000");
  EXPECT_EQ(quote->entry_id, "anthropic/claude-haiku-5-5");
  EXPECT_EQ(quote->period_from, "2026-10-07");
  EXPECT_EQ(quote->confidence, "high");
  // Output does not count towards the band.
  EXPECT_EQ(PriceBook::bundled()
                .price({"claude-haiku-5-5", usage(100'000, 0, 0, 50'000), when, {}})
                ->band,
            "");
}

// Anthropic: a tenth more for inference in the US only. OpenAI: the same for one region. With the
// tier they multiply.
TEST(BundledBook, APlaceMultipliesWithTheTier) {
  const std::int64_t when = at(2026, 11, 22);
  const PriceBook& book = PriceBook::bundled();
  const Usage u = usage(100'000, 10'000, 0, 1'000);  // of Opus 5.5: 400,000 + 2,000 + 20,000
  const auto in = [&](std::string_view model, Tier tier, Geography place) {
    const auto quote = book.price({model, u, when, tier, place});
    EXPECT_TRUE(quote.has_value());
    RangeQuery range;
    range.usage = u;
    range.from_unix_ns = range.to_unix_ns = when;
    range.tier = tier;
    range.geography = place;
    const auto both = book.price_range(*book.entry_index(model), range);
    EXPECT_TRUE(both.has_value());
    EXPECT_EQ(both->low.value, quote->cost.value);
    EXPECT_EQ(both->high.value, quote->cost.value);
    return quote->cost.value;
  };
  EXPECT_EQ(in("claude-opus-5-5", Tier::Standard, Geography::Anywhere), 422'000);
  EXPECT_EQ(in("claude-opus-5-5", Tier::Standard, Geography::UsOnly), 464'200);
  EXPECT_EQ(in("claude-opus-5-5", Tier::Batch, Geography::UsOnly), 232'100);
  EXPECT_EQ(in("claude-opus-5-5", Tier::Standard, Geography::Regional), 422'000);
  const std::int64_t anywhere = in("gpt-5.6-sol", Tier::Standard, Geography::Anywhere);
  EXPECT_EQ(in("gpt-5.6-sol", Tier::Standard, Geography::Regional) * 10, anywhere * 11);
  EXPECT_EQ(in("gpt-5.6-sol", Tier::Standard, Geography::UsOnly), anywhere);
}

TEST(BundledBook, DeepSeekPeakHours) {
  const Usage u = usage(1'000'000, 1'000'000, 0, 1'000'000);
  constexpr std::int64_t kOffPeak = 753'000, kPeak = 1'506'000;
  const auto on_monday = [&](int hour, int minute) {
    return cost("deepseek-flash", u, at(2026, 11, 23, hour, minute));
  };
  EXPECT_EQ(on_monday(0, 59), kOffPeak);
  EXPECT_EQ(on_monday(1, 0), kPeak);
  EXPECT_EQ(on_monday(3, 59), kPeak);
  EXPECT_EQ(on_monday(4, 0), kOffPeak);
  EXPECT_EQ(on_monday(5, 59), kOffPeak);
  EXPECT_EQ(on_monday(6, 0), kPeak);
  EXPECT_EQ(on_monday(9, 59), kPeak);
  EXPECT_EQ(on_monday(10, 0), kOffPeak);
  EXPECT_EQ(cost("deepseek-flash", u, at(2026, 11, 27, 2)), kPeak) << "Friday";
  EXPECT_EQ(cost("deepseek-flash", u, at(2026, 11, 28, 2)), kOffPeak) << "Saturday";
  EXPECT_EQ(cost("deepseek-flash", u, at(2026, 11, 29, 2)), kOffPeak) << "Sunday";
  EXPECT_EQ(PriceBook::bundled().price({"deepseek-flash", u, at(2026, 11, 23, 2), {}})->window,
            "peak");
  // An older name that was re-pointed: launch price without windows, then the price of the model
  // behind it.
  EXPECT_EQ(rate("deepseek/deepseek-v4-flash", at(2026, 5, 4, 2), kInput), 140'000);
  EXPECT_EQ(rate("deepseek/deepseek-v4-flash", at(2026, 8, 17, 2), kInput), 440'000);
  EXPECT_EQ(rate("deepseek/deepseek-v4-flash", at(2026, 9, 10, 12), kInput), 150'000);
}

TEST(BundledBook, PricesChangeAtMidnightUtcOfTheirDate) {
  EXPECT_EQ(rate("gpt-5.6", at(2026, 8, 20, 23, 59), kInput), 5'000'000);
  EXPECT_EQ(rate("gpt-5.6", at(2026, 8, 21, 0, 0), kInput), 4'000'000);
  EXPECT_EQ(rate("gpt-5.6", at(2026, 8, 20, 23, 59), kOutput), 30'000'000);
  EXPECT_EQ(rate("gpt-5.6", at(2026, 8, 21, 0, 0), kOutput), 20'000'000);
  EXPECT_EQ(rate("gemini-4-argon", at(2026, 11, 30, 23, 59), kOutput), 10'000'000);
  EXPECT_EQ(rate("gemini-4-argon", at(2026, 12, 1, 0, 0), kOutput), 20'000'000);
  EXPECT_EQ(rate("gemini-4-argon", at(2026, 12, 1, 0, 0), kRead), 200'000);
  EXPECT_EQ(rate("claude-sonnet-5-5", at(2026, 10, 6, 23, 59), kRead), 200'000);
  EXPECT_EQ(rate("claude-sonnet-5-5", at(2026, 10, 7, 0, 0), kRead), 100'000);
  // The cancelled increase of September never happened.
  EXPECT_EQ(rate("claude-sonnet-5", at(2026, 9, 2), kInput), 2'000'000);
  EXPECT_EQ(rate("claude-sonnet-5", at(2026, 11, 22), kOutput), 10'000'000);
}

TEST(BundledBook, LongPromptsOfTheGptFamily) {
  const std::int64_t when = at(2026, 11, 22);
  EXPECT_EQ(cost("openai/gpt-6.1-sol", usage(272'000, 0, 0, 1'000), when), 544'000 + 10'000);
  EXPECT_EQ(cost("openai/gpt-6.1-sol", usage(272'001, 0, 0, 1'000), when), 1'088'004 + 15'000);
}

TEST(BundledBook, Tiers) {
  const std::int64_t when = at(2026, 11, 22);
  EXPECT_EQ(rate("claude-opus-5-5", when, kInput, Tier::Fast), 8'000'000);
  EXPECT_EQ(rate("claude-opus-5-5", when, kOutput, Tier::Fast), 40'000'000);
  EXPECT_EQ(rate("claude-opus-5-5", when, kInput, Tier::Batch), 2'000'000);
  EXPECT_EQ(rate("gemini-4-argon", when, kInput, Tier::Priority), 3'600'000);
  const auto none = PriceBook::bundled().price({"claude-opus-5-5", kInput, when, Tier::Flex});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().reason, "unpriced");
}

TEST(BundledBook, CacheWritesTakeTheirLifetimeOrTheNearestThatLastsAsLong) {
  const std::int64_t when = at(2026, 11, 22);
  Usage five, thirty, hour;
  five.cache_write_5m = thirty.cache_write_30m = hour.cache_write_1h = 100'000;
  EXPECT_EQ(rate("claude-opus-5-5", when, five), 5'000'000);
  EXPECT_EQ(rate("claude-opus-5-5", when, thirty), 8'000'000)
      << "an hour is the shortest that lasts 30 minutes";
  EXPECT_EQ(rate("claude-opus-5-5", when, hour), 8'000'000);
  EXPECT_EQ(rate("gpt-6.1-terra", when, five), 1'250'000);
  EXPECT_EQ(rate("gpt-6.1-terra", when, hour), 2'500'000);
  EXPECT_EQ(rate("gpt-5.6", when, hour), 5'000'000) << "the longest that there is";
  EXPECT_EQ(rate("deepseek-flash", when, hour), 150'000) << "no write class: as input";
}

TEST(BundledBook, UnpricedIsNeverZero) {
  const auto& book = PriceBook::bundled();
  const auto expect_unpriced = [&](std::string_view model, const Usage& u, std::int64_t when) {
    const auto quote = book.price({model, u, when, Tier::Standard});
    ASSERT_FALSE(quote.has_value()) << model;
    EXPECT_EQ(quote.error().code, base::Code::NotFound) << model;
    EXPECT_EQ(quote.error().reason, "unpriced") << model;
  };
  const std::int64_t when = at(2026, 11, 22);
  expect_unpriced("no-such-model", kInput, when);
  expect_unpriced("", kInput, when);
  expect_unpriced("claude-opus-5-5-20260922", kInput, when);            // only listed aliases
  expect_unpriced("claude-opus-5-5", kInput, at(2026, 9, 21, 23, 59));  // before its release
  expect_unpriced("openai/text-embedding-3-small", kOutput, when);      // a class without price
  expect_unpriced("gpt-oss-120b", kInput, when);                        // several hosts, no vendor
  EXPECT_FALSE(book.knows("gpt-oss-120b"));
  EXPECT_FALSE(book.knows("no-such-model"));
  EXPECT_TRUE(book.knows("claude-mythos-5-1"));
  EXPECT_TRUE(book.knows("deepseek-v4-flash")) << "the vendor's entry wins over the hosts'";
}

TEST(BundledBook, EveryEntryIsWholeAndPricesAtItsOwnDate) {
  const auto& book = PriceBook::bundled();
  EXPECT_EQ(book.version(), "2026-11-22");
  const auto entries = book.entries();
  EXPECT_GE(entries.size(), 126U);
  for (const EntryInfo& entry : entries) {
    EXPECT_TRUE(book.knows(entry.id)) << entry.id;
    EXPECT_FALSE(entry.name.empty() || entry.provider.empty() || entry.as_of.empty()) << entry.id;
    EXPECT_FALSE(entry.source.empty()) << entry.id;
    const auto quote = book.price({entry.id, kInput, at(2026, 11, 22), Tier::Standard});
    ASSERT_TRUE(quote.has_value()) << entry.id << quote.error().text();
    EXPECT_GT(quote->cost.value, 0) << entry.id;
    EXPECT_EQ(quote->confidence, entry.confidence);
  }
}

TEST(BundledBook, SourcesAreTitlesNotKeys) {
  for (const EntryInfo& entry : PriceBook::bundled().entries()) {
    if (entry.id != "anthropic/claude-opus-5-5") continue;
    EXPECT_NE(entry.source.find(' '), std::string::npos) << entry.source;
    return;
  }
  ADD_FAILURE() << "the entry is gone";
}

// a small book of our own

std::string book_text(std::string_view entries) {
  return fmt::format(R"({{"schema":"freehold.prices/1","as_of":"2026-11-24","currency":"USD",)"
                     R"("unit":"per 1,000,000 tokens","entries":[{}]}})",
                     entries);
}

std::string entry_text(std::string_view id, std::string_view periods, std::string_view more = "") {
  return fmt::format(R"({{"id":"{0}","provider":"acme","model":"{0}","periods":[{1}],"source":[],)"
                     R"("as_of":"2026-11-24","confidence":"low"{2}}})",
                     id, periods, more);
}

std::string flat(std::string_view rates) {
  return fmt::format(
      R"({{"effective_from":null,"effective_to":null,"bands":[{{"prompt_tokens_over":null,"rates":{{{}}}}}]}})",
      rates);
}

TEST(PriceBook, LowConfidenceIsPricedAndSaysSo) {
  const auto book = PriceBook::parse(book_text(entry_text("x", flat(R"("input":1,"output":2)"))));
  ASSERT_TRUE(book.has_value()) << book.error().text();
  const auto quote =
      book->price({"x", usage(1'000'000, 500'000, 250'000, 1'000'000), 0, Tier::Standard});
  ASSERT_TRUE(quote.has_value());
  EXPECT_EQ(quote->cost.value, 1'000'000 + 500'000 + 250'000 + 2'000'000)
      << "cache classes without rate: as input";
  EXPECT_EQ(quote->confidence, "low");
  EXPECT_EQ(quote->period_from, "");
}

TEST(PriceBook, ANightWindowBelongsToTheDayOnWhichItBegins) {
  const std::string period =
      R"({"effective_from":null,"effective_to":null,"bands":[{"prompt_tokens_over":null,"rates":{"input":2,"output":2}},)"
      R"({"prompt_tokens_over":500000,"rates":{"input":4,"output":4}}],"windows":[{"name":"night","days":"fri,sun",)"
      R"("utc":[["22:00","02:00"]],"rates":{"input":1,"output":1}}]})";
  const auto book = PriceBook::parse(book_text(entry_text("x", period)));
  ASSERT_TRUE(book.has_value()) << book.error().text();
  const auto price = [&](std::int64_t when, std::uint64_t tokens = 500'000) {
    return book->price({"x", usage(tokens, 0, 0, 0), when, Tier::Standard})->cost.value;
  };
  EXPECT_EQ(price(at(2026, 11, 27, 21, 59)), 1'000'000);  // Friday
  EXPECT_EQ(price(at(2026, 11, 27, 22, 0)), 500'000);
  EXPECT_EQ(price(at(2026, 11, 28, 1, 59)), 500'000);  // Saturday morning, Friday's night
  EXPECT_EQ(price(at(2026, 11, 28, 2, 0)), 1'000'000);
  EXPECT_EQ(price(at(2026, 11, 28, 23, 0)), 1'000'000);  // Saturday's night
  EXPECT_EQ(price(at(2026, 11, 30, 0, 30)), 500'000);    // Monday, Sunday's night
  EXPECT_EQ(price(at(2026, 11, 27, 22, 0), 500'001), 2'000'004)
      << "a window overrides the base band only";
  EXPECT_EQ(price(at(1969, 12, 31, 23, 0)), 1'000'000) << "before 1970, a Wednesday";
  EXPECT_EQ(price(at(1969, 12, 26, 23, 0)), 500'000) << "before 1970, a Friday";
}

TEST(PriceBook, AnOperatorsFileReplacesAndAdds) {
  const auto own = PriceBook::parse(
      book_text(entry_text("anthropic/claude-opus-5-5", flat(R"("input":3,"output":15)")) + "," +
                entry_text("acme/local-70b", flat(R"("input":0.5,"output":0.5)"),
                           R"(,"aliases":["deepseek-flash"])")));
  ASSERT_TRUE(own.has_value()) << own.error().text();
  const auto& bundled = PriceBook::bundled();
  const auto both = bundled.overridden_by(*own);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->entries().size(), bundled.entries().size() + 1);
  const auto price = [&](std::string_view model) {
    return both->price({model, kInput, at(2026, 11, 22), Tier::Standard})->cost.value * 10;
  };
  EXPECT_EQ(price("anthropic/claude-opus-5-5"), 3'000'000);
  EXPECT_EQ(price("acme/local-70b"), 500'000);
  EXPECT_EQ(price("deepseek-flash"), 500'000) << "the operator's alias wins";
  EXPECT_EQ(price("deepseek/deepseek-flash"), 150'000) << "an id is never hidden by an alias";
  EXPECT_EQ(price("claude-sonnet-5-5"), 2'000'000);
  EXPECT_TRUE(both->version().starts_with("2026-11-22+local-"));
  EXPECT_EQ(both->version().size(), std::string("2026-11-22+local-").size() + 8);
  EXPECT_EQ(rate("claude-opus-5-5", at(2026, 11, 22), kInput), 4'000'000)
      << "the bundled book is as it was";
}

TEST(PriceBook, RefusesWhatCouldMisprice) {
  const std::string good = flat(R"("input":1,"output":2)");
  ASSERT_TRUE(PriceBook::parse(book_text(entry_text("x", good))).has_value());
  const std::string day_1 =
      R"({"effective_from":null,"effective_to":"2026-01-01","bands":[{"rates":{"input":1}}]})";
  const std::string gap =
      R"({"effective_from":"2026-01-02","effective_to":null,"bands":[{"rates":{"input":1}}]})";
  const std::string window =
      R"({"effective_from":null,"effective_to":null,"bands":[{"rates":{"input":1}}],"windows":[)"
      R"({"name":"w","days":"%","utc":[["01:00","@"]],"rates":{"input":1}}]})";
  const auto with = [&](std::string days, std::string to) {
    std::string text = window;
    text.replace(text.find('%'), 1, days);
    return entry_text("x", text.replace(text.find('@'), 1, to));
  };
  ASSERT_TRUE(PriceBook::parse(book_text(with("fri-mon", "24:00"))).has_value());
  const std::vector<std::string> bad = {
      entry_text("x", ""),
      entry_text("x", flat(R"("output":2)")),
      entry_text("x", flat(R"("input":0,"output":2)")),
      entry_text("x", flat(R"("input":-1,"output":2)")),
      entry_text("x", flat(R"("input":"1","output":2)")),
      entry_text("x", flat(R"("input":0.0000001)")),
      entry_text("x", flat(R"("input":1,"ouput":2)")),
      entry_text("x", good, R"(,"multiplier":{"batch":0.5})"),
      entry_text("x", good, R"(,"multipliers":{"bach":0.5})"),
      entry_text("x", good, R"(,"multipliers":{"batch":0})"),
      entry_text("x", good, R"(,"band_rule":"marginal")"),
      entry_text("x", good, R"(,"context_tokens":-5)"),
      entry_text("x", good) + "," + entry_text("x", good),
      entry_text("x", day_1 + "," + gap),
      entry_text("x", gap + "," + day_1),
      entry_text(
          "x",
          R"({"effective_from":"2026-02-30","effective_to":null,"bands":[{"rates":{"input":1}}]})"),
      entry_text(
          "x",
          R"({"effective_from":"2026-2-3","effective_to":null,"bands":[{"rates":{"input":1}}]})"),
      entry_text("x", R"({"effective_from":null,"effective_to":null,"bands":[]})"),
      entry_text(
          "x",
          R"({"effective_from":null,"effective_to":null,"bands":[{"prompt_tokens_over":5,"rates":{"input":1}}]})"),
      entry_text(
          "x",
          R"({"effective_from":null,"effective_to":null,"bands":[{"rates":{"input":1}},)"
          R"({"prompt_tokens_over":9,"rates":{"input":1}},{"prompt_tokens_over":9,"rates":{"input":1}}]})"),
      with("someday", "02:00"),
      with("mon", "25:00"),
      with("mon", "2:00"),
      with("mon", "01:00"),
      with("mon", "02:60")};
  for (const std::string& entries : bad) {
    const auto book = PriceBook::parse(book_text(entries));
    EXPECT_FALSE(book.has_value()) << entries;
    if (!book) EXPECT_EQ(book.error().code, base::Code::InvalidArgument) << entries;
  }
  for (const char* text : {"", "[]", "{}", R"({"schema":"freehold.prices/2"})"}) {
    EXPECT_FALSE(PriceBook::parse(text).has_value()) << text;
  }
  std::string euro = book_text(entry_text("x", good));
  euro.replace(euro.find("USD"), 3, "EUR");
  EXPECT_FALSE(PriceBook::parse(euro).has_value());
}

TEST(PriceBook, HugeCountsAreAnErrorAndNeverAWrap) {
  Usage u;
  u.input_uncached = UINT64_MAX;
  u.output = UINT64_MAX;
  const auto quote =
      PriceBook::bundled().price({"claude-opus-5-5", u, at(2026, 11, 22), Tier::Standard});
  ASSERT_FALSE(quote.has_value());
  EXPECT_EQ(quote.error().code, base::Code::OutOfRange);
}

// properties

Usage any_usage() {
  const auto count = rc::gen::inRange<std::uint64_t>(0, 400'000);
  Usage u;
  u.input_uncached = *count;
  u.cache_read = *count;
  u.cache_write_5m = *count;
  u.cache_write_30m = *count;
  u.cache_write_1h = *count;
  u.output = *count;
  u.reasoning = *rc::gen::inRange<std::uint64_t>(0, u.output + 1);
  return u;
}

std::string any_model() {
  const auto entries = PriceBook::bundled().entries();
  std::string id;
  do {
    id = entries[*rc::gen::inRange<std::size_t>(0, entries.size())].id;
  } while (id.find("embedding") != std::string::npos);
  return id;
}

std::int64_t any_time() {
  return at(2026, 10, 28) + *rc::gen::inRange<std::int64_t>(0, 60LL * 86'400) * 1'000'000'000;
}

std::uint64_t* bucket(Usage& u, int index) {
  std::uint64_t* const all[] = {&u.input_uncached,  &u.cache_read,     &u.cache_write_5m,
                                &u.cache_write_30m, &u.cache_write_1h, &u.output};
  return all[index];
}

RC_GTEST_PROP(PriceBookProperty, MoreTokensNeverCostLess, ()) {
  const std::string model = any_model();
  const std::int64_t when = any_time();
  Usage u = any_usage();
  const auto before = PriceBook::bundled().price({model, u, when, Tier::Standard});
  *bucket(u, *rc::gen::inRange(0, 6)) += *rc::gen::inRange<std::uint64_t>(0, 300'000);
  const auto after = PriceBook::bundled().price({model, u, when, Tier::Standard});
  RC_ASSERT(before.has_value() == after.has_value());
  if (before) RC_ASSERT(before->cost.value <= after->cost.value);
}

// Below every band the whole is the sum of its buckets, up to one rounding each.
RC_GTEST_PROP(PriceBookProperty, AnAmountIsTheSumOfItsBuckets, ()) {
  const std::string model = any_model();
  const std::int64_t when = any_time();
  Usage u;
  for (int i = 0; i < 6; ++i) *bucket(u, i) = *rc::gen::inRange<std::uint64_t>(0, 19'000);
  const auto whole = PriceBook::bundled().price({model, u, when, Tier::Standard});
  if (!whole) return;
  std::int64_t sum = 0;
  for (int i = 0; i < 6; ++i) {
    Usage one;
    *bucket(one, i) = *bucket(u, i);
    sum += PriceBook::bundled().price({model, one, when, Tier::Standard})->cost.value;
  }
  RC_ASSERT(std::abs(sum - whole->cost.value) <= 4);
}

RC_GTEST_PROP(PriceBookProperty, ReasoningIsPartOfOutputAndNothingIsFreeButNothing, ()) {
  const std::string model = any_model();
  const std::int64_t when = any_time();
  Usage u = any_usage();
  const auto with = PriceBook::bundled().price({model, u, when, Tier::Standard});
  u.reasoning = 0;
  const auto without = PriceBook::bundled().price({model, u, when, Tier::Standard});
  RC_ASSERT(with.has_value() == without.has_value());
  if (with) RC_ASSERT(with->cost == without->cost);
  const auto nothing = PriceBook::bundled().price({model, Usage{}, when, Tier::Standard});
  if (nothing) RC_ASSERT(nothing->cost.value == 0);
}

// A million requests of one unit round once each: scaling the usage by a million gives the exact
// rate.
RC_GTEST_PROP(PriceBookProperty, RoundingIsHalfToEvenOnTheExactValue, ()) {
  const auto input = *rc::gen::inRange<std::uint64_t>(0, 100'000'000);
  const auto output = *rc::gen::inRange<std::uint64_t>(0, 100'000'000);
  static const PriceBook book = *PriceBook::parse(book_text(
      entry_text("x", flat(R"("input":0.0005,"output":0.1)"), R"(,"multipliers":{"batch":0.5})")));
  // 500 and 100,000 micro-USD per million tokens, times one half.
  const std::uint64_t exact = input * 500 + output * 100'000;
  const std::uint64_t unit = 2'000'000;
  std::uint64_t expected = exact / unit;
  const std::uint64_t rest = exact % unit;
  if (rest * 2 > unit || (rest * 2 == unit && expected % 2 == 1)) ++expected;
  const auto quote = book.price({"x", usage(input, 0, 0, output), 0, Tier::Batch});
  RC_ASSERT(quote.has_value());
  RC_ASSERT(quote->cost.value == static_cast<std::int64_t>(expected));
}

}  // namespace
}  // namespace fh::pricing
