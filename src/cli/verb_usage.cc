// freehold usage: tokens, and what the same tokens cost elsewhere, by day, week, model, key or
// workload.
#include <fmt/format.h>

#include "cli/access.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "codec/url.h"

namespace fh::cli {
namespace {

using codec::json::Document;
using codec::json::Value;

std::string count_of(Value row, std::string_view group, std::string_view name) {
  return human_count(static_cast<std::uint64_t>(row[group][name].as_int().value_or(0)));
}

std::string cost_cell(Value cost) {
  const auto amount = cost["micro_usd"].as_int();
  std::string text = amount ? human_money(*amount) : "unpriced";
  if (amount && cost["unpriced"].as_int().value_or(0) > 0) text += " + unpriced";
  return text;
}

// `compared`: the models whose prices have a column.
std::vector<std::string> cells(std::string group, Value row,
                               const std::vector<std::string>& compared) {
  std::vector<std::string> out = {
      std::move(group),
      human_count(static_cast<std::uint64_t>(row["requests"].as_int().value_or(0))),
      human_count(static_cast<std::uint64_t>(row["failed"].as_int().value_or(0))),
      count_of(row, "usage", "input_uncached"),
      count_of(row, "usage", "cache_read"),
      count_of(row, "usage", "cache_write"),
      count_of(row, "usage", "output")};
  for (const std::string& model : compared) {
    std::string text = "unpriced";
    for (const Value cost : row["api_costs"].elements()) {
      if (cost["model"].as_string() == model) text = cost_cell(cost);
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

int run_usage(const Config& config, const UsageArgs& args) {
  // Dates in this form sort as text.
  if (!args.from.empty() && !args.to.empty() && args.from >= args.to) {
    return print_error({base::Code::InvalidArgument,
                        fmt::format("no day lies from {} to before {}", args.from, args.to),
                        "--to is the day after the last: give a later one",
                        {},
                        {}},
                       args.json);
  }
  base::Result<std::unique_ptr<Access>> access = Access::open(config);
  if (!access) return print_error(access.error(), args.json);
  std::string target = "/admin/v1/usage?by=" + args.by;
  if (!args.from.empty()) target += "&from=" + codec::url::percent_encode(args.from);
  if (!args.to.empty()) target += "&to=" + codec::url::percent_encode(args.to);
  if (args.csv) target += "&format=csv";
  const base::Result<std::string> answer = (*access)->call("GET", target, "");
  if (!answer) return print_error(answer.error(), args.json);
  if (args.json || args.csv) {
    fmt::print("{}{}", *answer, args.json ? "\n" : "");
    return kOk;
  }
  const auto document = Document::parse(*answer);
  if (!document) return print_error(document.error());
  const Value root = document->root();
  if (root["rows"].size() == 0) {
    fmt::print("Nothing was used in this time. Ask something: freehold chat \"Hello\"\n");
    return kOk;
  }
  std::vector<Column> columns = {{args.by},       {"REQUESTS", true}, {"FAILED", true},
                                 {"INPUT", true}, {"CACHED", true},   {"STORED", true},
                                 {"OUTPUT", true}};
  for (char& c : columns[0].title)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::vector<std::string> compared;
  for (const Value cost : root["totals"]["api_costs"].elements()) {
    const std::string model(cost["model"].as_string().value_or(""));
    columns.push_back({"AT " + model.substr(model.find('/') + 1), true});
    compared.push_back(model);
  }
  std::vector<std::vector<std::string>> rows;
  for (const Value row : root["rows"].elements()) {
    std::string group(row["group"].as_string().value_or(""));
    if (const auto name = row["key_name"].as_string(); name && !name->empty()) group = *name;
    rows.push_back(cells(group.empty() ? "(none)" : group, row, compared));
  }
  rows.push_back(cells("total", root["totals"], compared));
  fmt::print("{}", table(columns, rows));
  fmt::print("AT ...: what the same tokens cost at that API. It is a price, not a saving.\n");
  return kOk;
}

}  // namespace fh::cli
