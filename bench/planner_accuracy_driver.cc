// Estimates each row of a table of measured serving runs with the planner's datasheet constants and
// prints one JSON line a row: planner_accuracy_driver TABLE.csv. The columns are those of
// tests/data/validation/aiconfigurator/silicon_refs.csv. No row has constants of its own; layout,
// precision and lengths come from the row, geometry and sheets from the bundled catalogue.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "planner/catalogue.h"
#include "planner/step_time.h"

namespace {

using fh::base::Result;
using fh::planner::Catalogue;

using Row = std::map<std::string, std::string>;

const std::map<std::string, std::string> kSystems = {
    {"h100_sxm", "h100-sxm-80"}, {"h200_sxm", "h200-sxm-141"}, {"b200_sxm", "b200-sxm-180"},
    {"b300_sxm", "b300-sxm"},    {"gb200", "gb200"},           {"gb300", "gb300"}};
const std::map<std::string, std::string> kModels = {{"deepseek-ai/DeepSeek-R1", "deepseek-r1"},
                                                    {"deepseek-ai/DeepSeek-V3", "deepseek-r1"},
                                                    {"MiniMaxAI/MiniMax-M2.5", "minimax-m2.5"},
                                                    {"Qwen/Qwen3-32B", "qwen3-32b"}};

int number(const std::string& text, int otherwise) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end != text.data() && value > 0 ? value : otherwise;
}

// "silicon_concurrency=16" in the source's own note, or "_c16_" in the id; else what the engine was
// set to.
int concurrency_of(const Row& row, int otherwise) {
  for (const auto& [column, mark] :
       {std::pair{"silicon_data_source", "silicon_concurrency="}, std::pair{"id", "_c"}}) {
    const std::string& text = row.at(column);
    for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
      const int n = number(text.substr(at + std::string_view(mark).size()), 0);
      if (n > 0) return n;
    }
  }
  return otherwise;
}

struct Case {
  fh::planner::Layout layout;
  double sequences = 0;  // of one engine that decodes
  double isl = 0, osl = 0;
  bool together = true;  // prefill and decode in one engine
};

Case case_of(const Row& row) {
  Case c;
  c.together = row.at("mode") == "agg";
  const std::string side = c.together ? "" : "decode_";
  const int tp = number(row.at(side + "tp_size"), 1);
  const int dp = number(row.at(side + "attention_dp_size"), 1);
  const int ep = number(row.at(side + "moe_ep_size"), 1);
  const int moe_tp = number(row.at(side + "moe_tp_size"), 1);
  const int workers = c.together ? 1 : number(row.at("decode_num_workers"), 1);
  const int batch = number(row.at(side + "batch_size"), 1) * (c.together ? 1 : workers);
  c.layout = {std::max({tp, dp, ep * moe_tp}), dp, ep};
  c.sequences = static_cast<double>(concurrency_of(row, batch)) / workers;
  c.isl = number(row.at("isl"), 1);
  c.osl = number(row.at("osl"), 1);
  return c;
}

// The catalogue has no NVFP4 size of every model; half a byte and its scales per parameter then.
Result<fh::planner::ModelShape> shape_of_row(const fh::planner::Model& model,
                                             std::string precision) {
  if (precision.empty()) precision = "bf16";
  if (precision == "fp4") precision = "nvfp4";
  if (model.weights_at(precision) != nullptr) return fh::planner::shape_of(model, precision);
  fh::planner::Model sized = model;
  sized.weights.push_back({precision, model.params_total.value_or(0) * 4.5 / 8, "4.5 bits"});
  return fh::planner::shape_of(sized, precision);
}

Result<std::string> estimate(const Row& row) {
  const auto* model = Catalogue::bundled().model(kModels.at(row.at("model_path")));
  const auto* card = Catalogue::bundled().accelerator(kSystems.at(row.at("system")));
  FH_TRY(const auto shape, shape_of_row(*model, row.at("precision")));
  const Case c = case_of(row);
  FH_TRY(const auto time, fh::planner::StepTime::make(shape, *card, c.layout));
  double tpot = time.decode_s(c.sequences, c.isl + c.osl / 2);
  if (c.together) tpot += time.prefill_s(c.isl, 0) * c.sequences / c.osl;
  fh::codec::json::Writer w;
  w.object()
      .member("id", row.at("id"))
      .member("system", row.at("system"))
      .member("mode", row.at("mode"))
      .member("gpus", c.layout.tensor_parallel)
      .member("attention_dp", c.layout.attention_data_parallel)
      .member("sequences", c.sequences)
      .member("estimated_ms", tpot * 1e3)
      .member_raw("measured_ms", row.at("silicon_tpot_ms"))
      .end_object();
  return w.take();
}

Result<bool> run(const std::string& text) {
  fh::codec::CsvReader reader(text);
  std::vector<std::string> names, fields;
  FH_TRY(bool more, reader.next(names));
  while (more) {
    FH_TRY(more, reader.next(fields));
    if (!more) break;
    Row row;
    for (std::size_t i = 0; i < names.size(); ++i)
      row[names[i]] = i < fields.size() ? fields[i] : "";
    if (!kModels.contains(row.at("model_path")) || !kSystems.contains(row.at("system"))) {
      return fh::base::fail(fh::base::Code::NotFound,
                            fmt::format("{}: unknown model or system", row.at("id")));
    }
    FH_TRY(const std::string line, estimate(row));
    fmt::print("{}\n", line);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: planner_accuracy_driver TABLE.csv\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    fmt::print(stderr, "{} cannot be read\n", argv[1]);
    return 2;
  }
  const auto done = run(text.str());
  if (!done) {
    fmt::print(stderr, "{}\n", done.error().text());
    return 2;
  }
  return 0;
}
