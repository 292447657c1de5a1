// Goal: the event stream parser gives the same events however the bytes are cut, follows the
// standard's corner cases, and stays within its limits. Method: the examples of the standard, every
// split of mixed streams, and hostile streams.

#include "codec/sse.h"

#include <gtest/gtest.h>

namespace fh::codec::sse {
namespace {

std::vector<Event> parse(std::string_view stream) {
  Parser parser;
  std::vector<Event> events;
  EXPECT_TRUE(parser.push(stream, events).has_value());
  return events;
}

std::vector<std::string> data_of(std::string_view stream) {
  std::vector<std::string> out;
  for (const Event& event : parse(stream)) out.push_back(event.data);
  return out;
}

using Lines = std::vector<std::string>;

TEST(SseParser, ExamplesOfTheStandard) {
  EXPECT_EQ(data_of("data: YHOO\ndata: +2\ndata: 10\n\n"), Lines{"YHOO\n+2\n10"});
  EXPECT_EQ(data_of("data\n\ndata\ndata\n\ndata:"), (Lines{"", "\n"}));
  EXPECT_EQ(data_of("data:test\n\ndata: test\n\n"), (Lines{"test", "test"}));
  const auto events = parse(
      ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n\n");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0], (Event{"", "first event", "1"}));
  EXPECT_EQ(events[1], (Event{"", "second event", ""}));
  EXPECT_EQ(events[2], (Event{"", " third", ""}));
}

TEST(SseParser, TypesAndIds) {
  const auto events =
      parse("event: add\ndata: 1\nid: 7\n\nevent: only\n\ndata: 2\n\nid: x\n\ndata:3\n\n");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0], (Event{"add", "1", "7"}));
  EXPECT_EQ(events[1], (Event{"", "2", "7"})) << "a type without data is dropped, an id stays";
  EXPECT_EQ(events[2], (Event{"", "3", "x"}));
  EXPECT_EQ(parse(std::string("id: a\0b\ndata: 1\n\n", 18))[0].id, "");
}

TEST(SseParser, LineBreaksOfAllKinds) {
  EXPECT_EQ(data_of("data: a\r\ndata: b\r\n\r\n"), Lines{"a\nb"});
  EXPECT_EQ(data_of("data: a\rdata: b\r\r"), Lines{"a\nb"});
  EXPECT_EQ(data_of("data: a\n\r\ndata: b\r\n\n"), (Lines{"a", "b"}));
}

TEST(SseParser, ACarriageReturnReleasesTheEventAtOnce) {
  Parser parser;
  std::vector<Event> events;
  ASSERT_TRUE(parser.push("data: a\r\n\r", events).has_value());
  EXPECT_EQ(events.size(), 1U);
  ASSERT_TRUE(parser.push("\ndata: b\r", events).has_value());
  ASSERT_TRUE(parser.push("\n", events).has_value());
  EXPECT_EQ(events.size(), 1U) << "that line feed belongs to the line before";
  ASSERT_TRUE(parser.push("\r\n", events).has_value());
  EXPECT_EQ(events.size(), 2U);
}

TEST(SseParser, IgnoresWhatItMust) {
  EXPECT_EQ(data_of("\xEF\xBB\xBF"
                    "data: a\n\n"),
            Lines{"a"});
  EXPECT_EQ(data_of("data: a\n\n\xEF\xBB\xBF"
                    "data: b\n\n"),
            Lines{"a"})
      << "only at the start";
  EXPECT_EQ(data_of("foo: x\nDATA: y\n data: z\ndata: a\n: c\n:\n\n"), Lines{"a"});
  EXPECT_EQ(data_of("\n\n\n"), Lines{});
  EXPECT_EQ(data_of("data: a:b: c\n\n"), Lines{"a:b: c"});
}

TEST(SseParser, Retry) {
  Parser parser;
  std::vector<Event> events;
  ASSERT_TRUE(parser.push("retry: 1500\nretry: 12x\nretry:\nretry: 99999999999\n", events));
  EXPECT_EQ(parser.retry_ms(), 1500U);
}

TEST(SseParser, InvalidUtf8IsReplaced) {
  EXPECT_EQ(data_of("data: a\xFF"
                    "b\n\n"),
            Lines{"a\uFFFD"
                  "b"});
  EXPECT_EQ(data_of("data: \xE2\x82\ndata: \xAC\n\n"), Lines{"\uFFFD\n\uFFFD"});
}

TEST(SseParser, EverySplitGivesTheSameEvents) {
  const std::string stream =
      "\xEF\xBB\xBF: hi\r\nevent: é\r\ndata: 😀\r\ndata:\r\n\r\nid: 1\rdata: x\r\rdata: y\n\n";
  const auto expected = parse(stream);
  ASSERT_EQ(expected.size(), 3U);
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    for (std::size_t j = i; j <= stream.size(); ++j) {
      Parser parser;
      std::vector<Event> events;
      const std::string_view all = stream;
      for (const auto part : {all.substr(0, i), all.substr(i, j - i), all.substr(j)}) {
        ASSERT_TRUE(parser.push(part, events).has_value());
      }
      ASSERT_EQ(events, expected) << i << "," << j;
      EXPECT_FALSE(parser.mid_event());
    }
  }
}

TEST(SseParser, KnowsWhenTheStreamWasCut) {
  for (const std::string_view cut : {"da", "data: a\n", "data: a", "event: x\n"}) {
    Parser parser;
    std::vector<Event> events;
    ASSERT_TRUE(parser.push(cut, events).has_value());
    EXPECT_TRUE(parser.mid_event()) << cut;
  }
}

TEST(SseParser, LimitsEndTheStream) {
  const Limits limits{.line_bytes_max = 10, .event_bytes_max = 12};
  std::vector<Event> events;
  Parser long_line(limits);
  ASSERT_TRUE(long_line.push("data: 1234", events).has_value());
  const auto status = long_line.push("5", events);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::OutOfRange);
  EXPECT_FALSE(long_line.push("\n\ndata: 1\n\n", events).has_value()) << "no way back";

  Parser long_event(limits);
  ASSERT_TRUE(long_event.push("data: 1234\ndata: 1234\n", events).has_value());
  EXPECT_FALSE(long_event.push("data: 12\n", events).has_value());

  Parser many_events(limits);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(many_events.push("data: 1234\n\n", events));
  EXPECT_EQ(events.size(), 100U);
}

TEST(SseWriter, WhatIsWrittenIsRead) {
  std::string out;
  append_event(out, "", "plain");
  append_event(out, "delta", "two\nlines");
  append_comment(out, "keep-alive");
  append_event(out, "", "");
  append_event(out, "", " leading space\r\nand\rbreaks\n");
  EXPECT_TRUE(out.starts_with("data: plain\n\nevent: delta\ndata: two\ndata: lines\n\n: keep"));
  const auto events = parse(out);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0], (Event{"", "plain", ""}));
  EXPECT_EQ(events[1], (Event{"delta", "two\nlines", ""}));
  EXPECT_EQ(events[2], (Event{"", "", ""}));
  EXPECT_EQ(events[3], (Event{"", " leading space\nand\nbreaks\n", ""}));
}

}  // namespace
}  // namespace fh::codec::sse
