// Goal: any CSV file can be read with a mapping, and a wrong mapping says what is wrong with it.
// Method: one file per option with totals computed by hand; wrong mappings with exact messages.

#include "importers/generic_csv.h"

#include "importers/collect.h"
#include "importers/csv_mapping.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using Reasons = std::vector<std::string>;

Collect mapped(std::string_view mapping, std::string_view text) {
  return read_all(generic_csv_format(), text, 10, {std::string(mapping)});
}

std::string error_of(std::string_view mapping, std::string_view text = "") {
  const auto importer = generic_csv_format().open({"f", text}, {std::string(mapping)});
  return importer ? "" : importer.error().message;
}

TEST(GenericCsv, AFullMapping) {
  const Collect got = mapped(R"(
input_includes_cache = true
tokens_per_unit = 1000
cost_unit = "cents"
cost_kind = "billed"
time_format = "dmy"
time_zone = "+02:00"
[columns]
time = "Zeit"
model = "Modell"
input = "Ein"
cache_read = "davon Cache"
output = "Aus"
reasoning = "Denken"
cost = "Kosten"
user = "Wer"
workload = "Wozu"
tier = "Stufe"
[constants]
provider = "openai"
key = "all"
)",
                             "Zeit;Modell;Ein;davon Cache;Aus;Denken;Kosten;Wer;Wozu;Stufe\n"
                             "28.08.2026 14:30;gpt-5;10;4.5;2;0.5;123.45;ann;batch jobs;batch\n");
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 1U);
  const domain::UsageRecord& r = got.records[0];
  EXPECT_EQ(r.start_unix_ns, *parse_time_ns("2026-08-28T12:30:00Z"));
  EXPECT_EQ(r.usage.input_uncached, 5500U);
  EXPECT_EQ(r.usage.cache_read, 4500U);
  EXPECT_EQ(r.usage.output, 2000U);
  EXPECT_EQ(r.usage.reasoning, 500U);
  EXPECT_EQ(r.reported_cost->value, 1'234'500);
  EXPECT_EQ(r.cost_kind, domain::CostKind::Billed);
  EXPECT_EQ(r.tier, domain::ServiceTier::Batch);
  EXPECT_EQ(r.provider, "openai");
  EXPECT_EQ(r.key, "all");
  EXPECT_EQ(r.user, "ann");
  EXPECT_EQ(r.workload, "batch jobs");
  EXPECT_EQ(r.requests, 1U);
}

constexpr std::string_view kMinimal = R"(
[columns]
time = "t"
model = "m"
input = "i"
output = "o"
)";

TEST(GenericCsv, DatesAreDaysAndNumbersAreTimes) {
  const Collect got =
      mapped(kMinimal, "t,m,i,o\n2026-08-28,x,1,2\n1787939352,x,1,2\n2026-08-28 17:49,x,1,2\n");
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 3U);
  EXPECT_EQ(got.records[0].granularity, domain::Granularity::Day);
  EXPECT_EQ(got.records[0].end_unix_ns - got.records[0].start_unix_ns, kDayNs);
  EXPECT_EQ(got.records[0].requests, std::nullopt);
  EXPECT_EQ(got.records[1].granularity, domain::Granularity::Request);
  EXPECT_EQ(got.records[2].granularity, domain::Granularity::Request);
}

TEST(GenericCsv, ColumnsThatSayWhatTheyAre) {
  const std::string_view text =
      "timestamp,model,input_tokens,cached_tokens,output_tokens,total_tokens,cost_usd\n"
      "2026-08-28T10:00:00Z,m,100,40,10,110,0.5\n"
      "2026-08-28T10:00:01Z,m,100,40,10,150,0.5\n"
      "2026-08-28T10:00:02Z,,100,40,10,110,0.5\n"
      "2026-08-28T10:00:03Z,m,10,40,10,,0.5\n";
  EXPECT_EQ(recognised(generic_csv_format(), text), 20);
  const Collect got = read_all(generic_csv_format(), text);
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 60U) << "110 = 100 + 10: cached inside";
  EXPECT_EQ(got.records[1].usage.input_uncached, 100U) << "150 = 100 + 40 + 10: cached beside";
  EXPECT_EQ(got.records[0].cost_kind, domain::CostKind::Estimate);
  EXPECT_EQ(got.reasons(),
            (Reasons{"4: the row has no model", "5: cached tokens exceed the input"}));
  EXPECT_EQ(recognised(generic_csv_format(), "timestamp,model,words\n"), 0);
  EXPECT_EQ(recognised(generic_csv_format(), "{\"timestamp\":1}"), 0);
}

// Whether a column called "id" names an event of the world or a row of its file stands nowhere.
TEST(GenericCsv, AGuessedIdCountsWithTimeAndModel) {
  const auto ids = [](const std::string& column, const std::string& rows) {
    std::vector<std::string> out;
    const Collect got = read_all(generic_csv_format(),
                                 column + ",timestamp,model,input_tokens,output_tokens\n" + rows);
    for (const auto& record : got.records) out.push_back(record.source_id);
    return out;
  };
  const std::string first = "1,2026-08-28T10:00:00Z,m,100,10\n2,2026-08-28T10:00:01Z,m,7,1\n";
  const auto july = ids("id", first), august = ids("id", "1,2026-08-29T10:00:00Z,m,50,10\n"),
             other_model = ids("id", "1,2026-08-28T10:00:00Z,n,100,10\n");
  ASSERT_EQ(july.size(), 2U);
  EXPECT_NE(july[0], august.at(0)) << "a file that numbers its rows from 1 again";
  EXPECT_NE(july[0], other_model.at(0));
  EXPECT_NE(july[0], july[1]);
  EXPECT_EQ(ids("id", first), july) << "the same export again is the same events";
  // Equal rows are requests of their own.
  const std::string row = "t,2026-08-28T10:00:00Z,m,100,10\n";
  const auto twice = ids("event_id", row + row);
  ASSERT_EQ(twice.size(), 2U);
  EXPECT_NE(twice[0], twice[1]);
  // A trace is of several requests: it names none of them.
  EXPECT_EQ(ids("trace_id", row), ids("words", row));
  // A mapping says that it is one.
  const Collect told = mapped("[columns]\nid='id'\ntime='t'\nmodel='m'\ninput='i'\n",
                              "id,t,m,i\nabc,2026-08-28,x,1\n");
  ASSERT_EQ(told.records.size(), 1U);
  EXPECT_EQ(told.records[0].source_id, "abc");
}

TEST(GenericCsv, EveryRowIsChecked) {
  const Collect got = mapped(kMinimal,
                             "t,m,i,o\nlater,x,1,2\n,x,1,2\n2026-08-28,x,1.5,2\n2026-08-28,x,0,0\n"
                             "2026-08-28,x,99999999999999999,2\n2026-08-28,x,1,2\n");
  EXPECT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.reasons(),
            (Reasons{"2: time is not a time", "3: the row has no time",
                     "4: input is not a believable count", "5: the row has no token counts",
                     "6: input is not a believable count"}));
}

TEST(GenericCsv, AWrongMappingSaysWhatIsWrong) {
  EXPECT_NE(error_of("[columns]\ntime='t'\nmodel='m'\ninptu='i'\n").find("did you mean"),
            std::string::npos);
  EXPECT_NE(error_of("inputs_include_cache = true").find("input_includes_cache"),
            std::string::npos);
  EXPECT_NE(error_of("time_format = 'us'\n").find("must be one of `auto`, `iso`"),
            std::string::npos);
  EXPECT_NE(error_of("tokens_per_unit = 0\n").find("between 1 and"), std::string::npos);
  EXPECT_NE(error_of("time_zone = 'Berlin'\n").find("offset"), std::string::npos);
  EXPECT_NE(error_of("decimal = ';'\n").find("must be one of"), std::string::npos);
  EXPECT_NE(error_of("delimiter = '||'\n").find("one character"), std::string::npos);
  EXPECT_EQ(error_of("[columns]\nmodel='m'\ninput='i'\n"), "`columns.time` is missing");
  EXPECT_NE(error_of("[columns]\ntime='t'\ninput='i'\n").find("constants.model"),
            std::string::npos);
  EXPECT_NE(error_of("[columns]\ntime='t'\nmodel='m'\n").find("`columns.input` or"),
            std::string::npos);
  EXPECT_NE(error_of("[constants]\ntier='turbo'\n").find("must be one of `standard`"),
            std::string::npos);
  EXPECT_EQ(error_of(kMinimal, "t,m,i,out\n"), "the file has no column `o` for `columns.output`");
  EXPECT_EQ(error_of("[columns]\ntime='t'\nmodel='m'\ninput='Inptu'\n", "t,m,Input,o\n"),
            "the file has no column `Inptu` for `columns.input`; did you mean `Input`?");
  EXPECT_NE(error_of("", "a,b\n1,2\n").find("do not say what they are"), std::string::npos);
}

TEST(GenericCsv, TimesAsPeopleWriteThem) {
  CsvMapping mdy;
  mdy.time_format = TimeFormat::MonthFirst;
  EXPECT_EQ(mapped_time_ns(mdy, "8/28/2026"), parse_time_ns("2026-08-28"));
  EXPECT_EQ(mapped_time_ns(mdy, "08/28/26 5:49 PM"), parse_time_ns("2026-08-28T17:49"));
  EXPECT_EQ(mapped_time_ns(mdy, "8/28/2026, 12:05:09 AM"), parse_time_ns("2026-08-28T00:05:09"));
  EXPECT_EQ(mapped_time_ns(mdy, "28/8/2026"), std::nullopt);
  EXPECT_EQ(mapped_time_ns(mdy, "8/28/2026 13:00 PM"), std::nullopt);
  CsvMapping unix_ms;
  unix_ms.time_format = TimeFormat::UnixMs;
  EXPECT_EQ(mapped_time_ns(unix_ms, "1500"), 1'500'000'000);
  CsvMapping iso;
  iso.time_format = TimeFormat::Iso;
  EXPECT_EQ(mapped_time_ns(iso, "1787939352"), std::nullopt);
}

}  // namespace
}  // namespace fh::importers
