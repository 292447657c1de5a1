// See book_parser.h. Every function takes the place it reads as text, so that an error names it.

#include "pricing/book_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <numeric>
#include <set>

#include "codec/json.h"
#include "pricing/decimal.h"

namespace fh::pricing {
namespace {

using codec::json::Value;

constexpr std::string_view kSchema = "freehold.prices/1";
constexpr std::size_t kBytesMax = 16 * 1024 * 1024;

struct ClassName {
  std::string_view name;
  TokenClass token_class;
};
constexpr std::array<ClassName, kTokenClasses> kClassNames = {{
    {"input", TokenClass::Input},
    {"cache_read", TokenClass::CacheRead},
    {"cache_write", TokenClass::CacheWrite},
    {"cache_write_5m", TokenClass::CacheWrite5m},
    {"cache_write_30m", TokenClass::CacheWrite30m},
    {"cache_write_1h", TokenClass::CacheWrite1h},
    {"cache_write_12h", TokenClass::CacheWrite12h},
    {"output", TokenClass::Output},
}};
// Listed beside the others and not priced here: usage has no audio buckets.
constexpr std::array<std::string_view, 3> kAudioClasses = {"input_audio", "output_audio",
                                                           "cache_audio_read"};

struct TierName {
  std::string_view name;
  Tier tier;
};
constexpr std::array<TierName, 4> kTierNames = {{{"batch", Tier::Batch},
                                                 {"flex", Tier::Flex},
                                                 {"priority", Tier::Priority},
                                                 {"fast", Tier::Fast}}};
struct GeographyName {
  std::string_view name;
  Geography geography;
};
constexpr std::array<GeographyName, 2> kGeographyNames = {
    {{"us_only_inference", Geography::UsOnly}, {"regional_processing", Geography::Regional}}};

std::unexpected<base::Error> bad(const std::string& at, std::string_view why) {
  return base::fail_field(at, fmt::format("price book, {}: {}", at, why), "price_book_invalid");
}

base::Status expect_object(Value v, const std::string& at,
                           std::initializer_list<std::string_view> known) {
  if (!v.is_object()) return bad(at, "an object is needed");
  for (const auto& [key, value] : v.members()) {
    if (std::ranges::find(known, key) == known.end())
      return bad(at, fmt::format("unknown member \"{}\"", key));
  }
  return {};
}

base::Result<std::string> text(Value v, const std::string& at) {
  const auto s = v.as_string();
  if (!s || s->empty()) return bad(at, "a text that is not empty is needed");
  return std::string(*s);
}

base::Result<std::string> text_or(Value v, const std::string& at, std::string_view otherwise) {
  if (!v.exists()) return std::string(otherwise);
  return text(v, at);
}

base::Result<std::int64_t> day_number(Value v, const std::string& at) {
  const auto s = v.as_string();
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : s->substr(from, count))
      value = c >= '0' && c <= '9' ? value * 10 + (c - '0') : 100'000;
    return value;
  };
  if (!s || s->size() != 10 || (*s)[4] != '-' || (*s)[7] != '-')
    return bad(at, "a date YYYY-MM-DD is needed");
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (year > 9999 || month > 12 || day > 31 || !date.ok()) return bad(at, "there is no such date");
  return std::chrono::sys_days(date).time_since_epoch().count();
}

base::Result<std::optional<std::int64_t>> open_day(Value v, const std::string& at) {
  if (v.is_null()) return std::nullopt;
  FH_TRY(const std::int64_t day, day_number(v, at));
  return day;
}

base::Result<std::int64_t> amount(Value v, const std::string& at, bool zero_allowed) {
  if (!v.is_number()) return bad(at, "a number is needed");
  auto value = decimal_to_millionths(v.raw());
  if (!value) return bad(at, value.error().message);
  if (*value == 0 && !zero_allowed)
    return bad(at, "must be more than zero; an unknown price is left out");
  return *value;
}

base::Result<Rates> rates(Value v, const std::string& at) {
  if (!v.is_object()) return bad(at, "an object of rates is needed");
  Rates out;
  for (const auto& [key, value] : v.members()) {
    const std::string where = fmt::format("{}.{}", at, key);
    const auto known = std::ranges::find(kClassNames, key, &ClassName::name);
    const bool audio = std::ranges::find(kAudioClasses, key) != kAudioClasses.end();
    if (known == kClassNames.end() && !audio) return bad(where, "unknown token class");
    // A cache may be free; input and output never are.
    FH_TRY(const std::int64_t rate, amount(value, where, key.starts_with("cache")));
    if (!audio) out[known->token_class] = rate;
  }
  if (!out[TokenClass::Input]) return bad(at, "the class input is missing");
  return out;
}

base::Result<std::vector<Band>> bands(Value v, const std::string& at) {
  if (!v.is_array() || v.size() == 0) return bad(at, "at least one band is needed");
  std::vector<Band> out;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", at, i);
    FH_TRY_VOID(expect_object(v[i], where, {"prompt_tokens_over", "rates"}));
    Band band;
    const Value over = v[i]["prompt_tokens_over"];
    if (i == 0 && !over.is_null()) return bad(where, "the first band has no threshold");
    if (i > 0) {
      const auto threshold = over.as_int();
      if (!threshold || *threshold <= 0 ||
          static_cast<std::uint64_t>(*threshold) <= out.back().prompt_tokens_over) {
        return bad(where, "thresholds are whole numbers and ascend");
      }
      band.prompt_tokens_over = static_cast<std::uint64_t>(*threshold);
    }
    FH_TRY(band.rates, rates(v[i]["rates"], where + ".rates"));
    out.push_back(std::move(band));
  }
  return out;
}

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// "daily", "sat", "mon-fri", "mon-wed,fri"; a range may run over the end of the week.
base::Result<std::uint8_t> days(std::string_view list, const std::string& at) {
  if (list == "daily") return static_cast<std::uint8_t>(0x7f);
  unsigned mask = 0;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view part = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    const std::size_t dash = part.find('-');
    const std::string_view last_name =
        dash == std::string_view::npos ? part : part.substr(dash + 1);
    const auto first = std::ranges::find(kDays, part.substr(0, dash));
    const auto last = std::ranges::find(kDays, last_name);
    if (first == kDays.end() || last == kDays.end())
      return bad(at, "days are written like \"mon-fri,sun\" or \"daily\"");
    for (auto day = first - kDays.begin();; day = (day + 1) % 7) {
      mask |= 1U << static_cast<unsigned>(day);
      if (day == last - kDays.begin()) break;
    }
  }
  return static_cast<std::uint8_t>(mask);
}

base::Result<int> minute_of_day(Value v, const std::string& at) {
  const auto s = v.as_string();
  const auto digit = [&](std::size_t i) {
    return (*s)[i] >= '0' && (*s)[i] <= '9' ? (*s)[i] - '0' : 100;
  };
  if (!s || s->size() != 5 || (*s)[2] != ':') return bad(at, "a time HH:MM is needed");
  const int hours = digit(0) * 10 + digit(1), minutes = digit(3) * 10 + digit(4);
  const int total = hours * 60 + minutes;
  if (minutes > 59 || total > 24 * 60) return bad(at, "there is no such time");
  return total;
}

base::Result<Window> window(Value v, const std::string& at) {
  FH_TRY_VOID(expect_object(v, at, {"name", "days", "utc", "rates"}));
  Window out;
  FH_TRY(out.name, text(v["name"], at + ".name"));
  FH_TRY(const std::string list, text(v["days"], at + ".days"));
  FH_TRY(out.days, days(list, at + ".days"));
  const Value ranges = v["utc"];
  if (!ranges.is_array() || ranges.size() == 0)
    return bad(at + ".utc", "at least one [from, to] is needed");
  for (const Value range : ranges.elements()) {
    if (!range.is_array() || range.size() != 2) return bad(at + ".utc", "a range is [from, to]");
    FH_TRY(const int from, minute_of_day(range[0], at + ".utc"));
    FH_TRY(const int to, minute_of_day(range[1], at + ".utc"));
    if (from == to) return bad(at + ".utc", "a range is empty");
    out.minutes.emplace_back(from, to);
  }
  FH_TRY(out.rates, rates(v["rates"], at + ".rates"));
  return out;
}

base::Result<Period> period(Value v, const std::string& at) {
  FH_TRY_VOID(expect_object(
      v, at, {"effective_from", "effective_to", "from_basis", "status", "bands", "windows"}));
  Period out;
  FH_TRY(out.from_day, open_day(v["effective_from"], at + ".effective_from"));
  FH_TRY(out.to_day, open_day(v["effective_to"], at + ".effective_to"));
  if (out.from_day) out.from_text = v["effective_from"].as_string().value_or("");
  FH_TRY(out.bands, bands(v["bands"], at + ".bands"));
  const Value list = v["windows"];
  if (list.exists() && !list.is_array()) return bad(at + ".windows", "an array is needed");
  for (std::size_t i = 0; i < list.size(); ++i) {
    FH_TRY(Window w, window(list[i], fmt::format("{}.windows[{}]", at, i)));
    out.windows.push_back(std::move(w));
  }
  return out;
}

base::Result<std::vector<Period>> periods(Value v, const std::string& at) {
  if (!v.is_array() || v.size() == 0) return bad(at, "at least one period is needed");
  std::vector<Period> out;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", at, i);
    FH_TRY(Period p, period(v[i], where));
    if (p.from_day && p.to_day && *p.to_day <= *p.from_day)
      return bad(where, "ends before it begins");
    if (i > 0 && (!p.from_day || out.back().to_day != p.from_day)) {
      return bad(where, "must begin on the day on which the period before it ends");
    }
    out.push_back(std::move(p));
  }
  return out;
}

base::Status read_multipliers(Value v, const std::string& at, Entry& entry) {
  entry.tiers[static_cast<std::size_t>(Tier::Standard)] = Ratio{};
  if (!v.exists()) return {};
  if (!v.is_object()) return bad(at, "an object is needed");
  for (const auto& [key, value] : v.members()) {
    const std::string where = fmt::format("{}.{}", at, key);
    const auto tier = std::ranges::find(kTierNames, key, &TierName::name);
    const auto place = std::ranges::find(kGeographyNames, key, &GeographyName::name);
    if (tier == kTierNames.end() && place == kGeographyNames.end()) {
      return bad(where, "unknown multiplier");
    }
    FH_TRY(const std::int64_t millionths, amount(value, where, false));
    const std::int64_t divisor = std::gcd(millionths, std::int64_t{1'000'000});
    const Ratio ratio{millionths / divisor, 1'000'000 / divisor};
    if (tier != kTierNames.end()) {
      entry.tiers[static_cast<std::size_t>(tier->tier)] = ratio;
    } else {
      entry.geographies[static_cast<std::size_t>(place->geography)] = ratio;
    }
  }
  return {};
}

base::Status read_identity(Value v, const std::string& at, Entry& entry) {
  FH_TRY(entry.info.id, text(v["id"], at + ".id"));
  FH_TRY(entry.info.provider, text(v["provider"], at + ".provider"));
  FH_TRY(entry.model, text(v["model"], at + ".model"));
  FH_TRY(entry.info.name, text_or(v["name"], at + ".name", entry.model));
  FH_TRY(entry.listing, text_or(v["listing"], at + ".listing", "vendor"));
  FH_TRY(entry.info.as_of, text(v["as_of"], at + ".as_of"));
  FH_TRY_VOID(day_number(v["as_of"], at + ".as_of"));
  FH_TRY(entry.info.confidence, text(v["confidence"], at + ".confidence"));
  constexpr std::array<std::string_view, 3> kConfidences = {"high", "medium", "low"};
  if (std::ranges::find(kConfidences, entry.info.confidence) == kConfidences.end()) {
    return bad(at + ".confidence", "is \"high\", \"medium\" or \"low\"");
  }
  if (const Value context = v["context_tokens"]; context.exists()) {
    const auto tokens = context.as_int();
    if (!tokens || *tokens <= 0 || *tokens > UINT32_MAX)
      return bad(at + ".context_tokens", "is out of range");
    entry.info.context_tokens = static_cast<std::uint32_t>(*tokens);
  }
  for (const Value alias : v["aliases"].elements()) {
    FH_TRY(std::string name, text(alias, at + ".aliases"));
    entry.aliases.push_back(std::move(name));
  }
  return {};
}

base::Result<Entry> entry_of(Value v, const std::string& at) {
  FH_TRY_VOID(expect_object(v, at,
                            {"id", "provider", "model", "name", "aliases", "listing",
                             "context_tokens", "periods", "band_rule", "multipliers", "fees",
                             "cancelled_periods", "notes", "source", "as_of", "confidence"}));
  Entry entry;
  FH_TRY_VOID(read_identity(v, at, entry));
  const std::string rule(v["band_rule"].as_string().value_or("whole_request"));
  if (rule != "whole_request") return bad(at + ".band_rule", "only \"whole_request\" is known");
  FH_TRY(entry.periods, periods(v["periods"], at + ".periods"));
  FH_TRY_VOID(read_multipliers(v["multipliers"], at + ".multipliers", entry));
  return entry;
}

// For people, so nothing here can be wrong: keys become the titles that the file gives them.
std::string sources_text(Value keys, Value titles) {
  std::string out;
  for (const Value key : keys.elements()) {
    const auto name = key.as_string();
    if (!name) continue;
    const auto title = titles[*name]["title"].as_string();
    out += out.empty() ? "" : "; ";
    out += title.value_or(*name);
  }
  return out;
}

}  // namespace

base::Result<Book> parse_book(std::string_view json) {
  codec::json::Limits limits;
  limits.bytes_max = kBytesMax;
  FH_TRY(const codec::json::Document document, codec::json::Document::parse(json, limits));
  const Value root = document.root();
  FH_TRY_VOID(expect_object(
      root, "file", {"schema", "as_of", "currency", "unit", "rules", "sources", "entries"}));
  if (root["schema"].as_string() != kSchema)
    return bad("schema", fmt::format("must be \"{}\"", kSchema));
  if (root["currency"].as_string() != "USD") return bad("currency", "must be \"USD\"");
  if (root["unit"].as_string() != "per 1,000,000 tokens")
    return bad("unit", "must be \"per 1,000,000 tokens\"");
  Book book;
  FH_TRY(book.as_of, text(root["as_of"], "as_of"));
  FH_TRY_VOID(day_number(root["as_of"], "as_of"));
  if (!root["entries"].is_array()) return bad("entries", "an array is needed");
  std::set<std::string> ids;
  const std::vector<Value> list = root["entries"].elements();
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = fmt::format("entries[{}]", i);
    FH_TRY(Entry entry, entry_of(list[i], at));
    entry.info.source = sources_text(list[i]["source"], root["sources"]);
    if (!ids.insert(entry.info.id).second)
      return bad(at, fmt::format("\"{}\" is there twice", entry.info.id));
    book.entries.push_back(std::move(entry));
  }
  return book;
}

}  // namespace fh::pricing
