// The sheets that hold facts and results which are not recomputed: prices, capacity, hardware,
// sensitivity, readiness, sources.
#include "planner/workbook_sheets.h"

#include <fmt/format.h>

#include <algorithm>

namespace fh::planner {
namespace {

constexpr Option kFleets[] = {Option::Own, Option::Hybrid, Option::Rent};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

void optional_number(Sheet& sheet, std::uint32_t row, std::uint32_t col,
                     const std::optional<double>& value, Style style = Style::Number) {
  if (value) {
    sheet.number(row, col, *value, style);
  } else {
    sheet.text(row, col, "not established", Style::Note);
  }
}

void provenance(Sheet& sheet, std::uint32_t row, std::uint32_t col, const Provenance& from) {
  sheet.text(row, col, joined(from.sources));
  sheet.text(row, col + 1, from.as_of);
  sheet.text(row, col + 2, confidence_name(from.confidence));
}

// Which workloads move in which option: flags that the inputs are computed from.
std::uint32_t write_flags(Workbook& book, Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "What moves (1) and what stays (0)", Style::Title);
  sheet.headers(row, {"Workload", "own", "hybrid", "rent"});
  const std::uint32_t first = ++row;
  for (std::uint32_t w = 0; w < plan.workloads.size(); ++w, ++row) {
    sheet.text(row, 0, plan.workloads[w].name);
    for (std::uint32_t i = 0; i < std::size(kFleets); ++i) {
      const OptionPick& pick = plan.picks[static_cast<std::size_t>(kFleets[i])];
      const bool moves =
          std::find(pick.workloads.begin(), pick.workloads.end(), w) != pick.workloads.end();
      sheet.number(row, 1 + i, moves ? 1 : 0, Style::Count);
    }
  }
  sheet.text(row, 0, "Share of their tokens that the machines serve; the rest spills");
  for (std::uint32_t i = 0; i < std::size(kFleets); ++i) {
    const std::string name(option_name(kFleets[i]));
    sheet.number(row, 1 + i, plan.picks[static_cast<std::size_t>(kFleets[i])].token_share,
                 Style::Share);
    book.define(name + "_token_share", sheet.ref(row, 1 + i));
    if (!plan.workloads.empty()) {
      book.define(name + "_flags", sheet.range(first, 1 + i, row - 1, 1 + i));
    }
  }
  return row + 2;
}

std::uint32_t write_picks(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "The machines behind each option (results of the capacity estimate)",
             Style::Title);
  sheet.headers(row, {"Option", "Model", "Precision", "Machine", "Machines", "Spare", "Token share",
                      "Busiest hour", "TTFT p95 ms", "TPOT ms", "Live conversations", "Accuracy"});
  for (const Option option : kFleets) {
    const OptionPick& pick = plan.picks[static_cast<std::size_t>(option)];
    ++row;
    sheet.text(row, 0, option_name(option));
    if (!pick.found) {
      sheet.text(row, 1, "none was found", Style::Note);
      continue;
    }
    sheet.text(row, 1, pick.model_name);
    sheet.text(row, 2, pick.precision);
    sheet.text(row, 3, pick.machine_name);
    sheet.number(row, 4, pick.machines, Style::Count);
    sheet.number(row, 5, pick.spare, Style::Count);
    sheet.number(row, 6, pick.token_share, Style::Share);
    sheet.number(row, 7, pick.utilisation_peak, Style::Share);
    sheet.number(row, 8, pick.ttft_p95_ms, Style::Count);
    sheet.number(row, 9, pick.tpot_ms);
    sheet.number(row, 10, pick.sessions_live, Style::Count);
    sheet.text(row, 11, pick.accuracy);
  }
  return row + 2;
}

void write_considered(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "Everything that was looked at for all that may move", Style::Title);
  sheet.headers(row,
                {"Model", "Precision", "Machine", "Fits", "Machines at the peak",
                 "Machines for the floor", "Tokens per second", "TTFT p95 ms", "TPOT ms",
                 "kW with a spare", "USD low with a spare", "USD high", "Rent USD/h low", "high"});
  for (const Considered& one : plan.considered) {
    ++row;
    sheet.text(row, 0, one.model);
    sheet.text(row, 1, one.precision);
    sheet.text(row, 2, one.machine);
    if (!one.fits) {
      sheet.text(row, 3, one.why_not, Style::Note);
      continue;
    }
    sheet.text(row, 3, "yes");
    sheet.number(row, 4, one.machines_peak, Style::Count);
    sheet.number(row, 5, one.machines_floor, Style::Count);
    sheet.number(row, 6, one.processed_tok_s, Style::Count);
    sheet.number(row, 7, one.ttft_p95_ms, Style::Count);
    sheet.number(row, 8, one.tpot_ms);
    sheet.number(row, 9, one.power_kw_max);
    if (one.capex_usd) {
      sheet.number(row, 10, one.capex_usd->low, Style::Usd);
      sheet.number(row, 11, one.capex_usd->high, Style::Usd);
    }
    if (one.rent_usd_per_hour) {
      sheet.number(row, 12, one.rent_usd_per_hour->low, Style::UsdCent);
      sheet.number(row, 13, one.rent_usd_per_hour->high, Style::UsdCent);
    }
  }
}

std::uint32_t write_spread(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  const Sensitivity& sensitivity = plan.sensitivity;
  sheet.text(row++, 0,
             fmt::format("Sampled over the ranges: {} draws, seed {} (data, not recalculated)",
                         sensitivity.draws, sensitivity.seed),
             Style::Title);
  sheet.headers(row, {"Option", "Break-even p10", "p50", "p90", "Breaks even in", "Saved p10",
                      "p50", "p90", "Is the answer in"});
  for (const OptionSpread& spread : sensitivity.spread) {
    ++row;
    sheet.text(row, 0, option_name(spread.option));
    const Quantiles& month = spread.break_even_month;
    sheet.text(row, 1, month_text(month.p10));
    sheet.text(row, 2, month_text(month.p50));
    sheet.text(row, 3, month_text(month.p90));
    sheet.number(row, 4, spread.share_break_even, Style::Share);
    sheet.number(row, 5, spread.saved_npv_usd.p10, Style::Usd);
    sheet.number(row, 6, spread.saved_npv_usd.p50, Style::Usd);
    sheet.number(row, 7, spread.saved_npv_usd.p90, Style::Usd);
    sheet.number(row, 8, spread.share_best, Style::Share);
  }
  return row + 2;
}

std::uint32_t write_flips(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "What would have to be true for another answer (data, not recalculated)",
             Style::Title);
  sheet.headers(row, {"Input", "Unit", "Now", "Turns at", "Answer then", "Reading"});
  for (const Flip& flip : plan.sensitivity.flips) {
    ++row;
    sheet.text(row, 0, flip.label);
    sheet.text(row, 1, flip.unit);
    sheet.number(row, 2, flip.now, Style::Factor);
    if (flip.found) {
      sheet.number(row, 3, flip.value, Style::Factor);
      sheet.text(row, 4, option_name(flip.to));
      sheet.text(row, 5, flip.reading);
    } else {
      sheet.text(row, 3, fmt::format("not from {} to {}", flip.searched_low, flip.searched_high),
                 Style::Note);
    }
  }
  return row + 2;
}

}  // namespace

void write_prices(Sheet& sheet, const Plan& plan) {
  sheet.text(0, 0, "API prices of the models in use, USD per million tokens, list", Style::Title);
  sheet.text(1, 0,
             "Short prompts; length bands, hours of the day and past dates are in the sheet Usage "
             "by the price book.",
             Style::Note);
  sheet.headers(3, {"Model", "Name", "Input", "Cache read", "Cache write (short)",
                    "Cache write 1 h", "Output", "Since", "Date", "Confidence"});
  std::uint32_t row = 3;
  for (const PriceLine& line : plan.prices) {
    ++row;
    sheet.text(row, 0, line.id);
    sheet.text(row, 1, line.name);
    optional_number(sheet, row, 2, line.input, Style::Factor);
    optional_number(sheet, row, 3, line.cache_read, Style::Factor);
    optional_number(sheet, row, 4, line.cache_write_5m, Style::Factor);
    optional_number(sheet, row, 5, line.cache_write_1h, Style::Factor);
    optional_number(sheet, row, 6, line.output, Style::Factor);
    sheet.text(row, 7, line.period_from);
    sheet.text(row, 8, line.as_of);
    sheet.text(row, 9, line.confidence);
  }
  sheet.width(0, 1, 30);
  sheet.width(2, 9, 14);
}

void write_capacity(Workbook& book, Sheet& sheet, const Plan& plan) {
  sheet.text(0, 0, "Capacity", Style::Title);
  std::uint32_t row = write_flags(book, sheet, plan, 2);
  row = write_picks(sheet, plan, row);
  write_considered(sheet, plan, row);
  sheet.width(0, 0, 34);
  sheet.width(1, 3, 22);
  sheet.width(4, 13, 14);
}

void write_hardware(Sheet& sheet, const Plan& plan) {
  sheet.text(0, 0, "Machines and what they cost", Style::Title);
  sheet.headers(2, {"Machine", "GPUs", "Memory of one, GB", "Bandwidth of one, TB/s", "USD low",
                    "USD high", "Rent USD/h low", "high", "kW", "Source", "Date", "Confidence"});
  std::uint32_t row = 2;
  for (const Machine& machine : machines_of(*plan.catalogue)) {
    ++row;
    sheet.text(row, 0, machine.name);
    sheet.number(row, 1, machine.count, Style::Count);
    if (machine.accelerator != nullptr) {
      sheet.number(row, 2, machine.accelerator->memory_bytes / 1e9, Style::Count);
      sheet.number(row, 3, machine.accelerator->bandwidth_bytes_s / 1e12);
    }
    if (machine.capex_usd) {
      sheet.number(row, 4, machine.capex_usd->value.low, Style::Usd);
      sheet.number(row, 5, machine.capex_usd->value.high, Style::Usd);
    }
    if (machine.rent_usd_per_hour) {
      sheet.number(row, 6, machine.rent_usd_per_hour->value.low, Style::UsdCent);
      sheet.number(row, 7, machine.rent_usd_per_hour->value.high, Style::UsdCent);
    }
    sheet.number(row, 8, machine.power_kw_max);
    provenance(sheet, row, 9,
               machine.capex_usd           ? machine.capex_usd->from
               : machine.rent_usd_per_hour ? machine.rent_usd_per_hour->from
                                           : machine.from);
  }
  sheet.width(0, 0, 34);
  sheet.width(1, 8, 13);
  sheet.width(9, 9, 34);
}

void write_sensitivity(Workbook& book, Sheet& sheet, const Plan& plan) {
  const Sensitivity& sensitivity = plan.sensitivity;
  std::uint32_t row = write_spread(sheet, plan, 0);
  row = write_flips(sheet, plan, row);
  sheet.width(0, 0, 44);
  sheet.width(1, 9, 16);
  if (sensitivity.tornado.empty()) return;
  sheet.text(row++, 0,
             fmt::format("One input at a time: present value saved by {} (data, not recalculated)",
                         option_name(sensitivity.focus)),
             Style::Title);
  sheet.headers(row, {"Input", "Low", "High", "Saved at low", "Saved at high", "Answer at low",
                      "Answer at high", "Change at low", "Change at high"});
  const double base = plan.money.of(sensitivity.focus).saved_npv_usd;
  const std::uint32_t first = row + 1;
  for (const TornadoBar& bar : sensitivity.tornado) {
    ++row;
    sheet.text(row, 0, input_specs()[*input_index(bar.input)].label);
    sheet.number(row, 1, bar.low, Style::Factor);
    sheet.number(row, 2, bar.high, Style::Factor);
    sheet.number(row, 3, bar.saved_at_low, Style::Usd);
    sheet.number(row, 4, bar.saved_at_high, Style::Usd);
    sheet.text(row, 5, option_name(bar.best_at_low));
    sheet.text(row, 6, option_name(bar.best_at_high));
    sheet.number(row, 7, bar.saved_at_low - base, Style::Usd);
    sheet.number(row, 8, bar.saved_at_high - base, Style::Usd);
  }
  const std::uint32_t last = std::min(row, first + 11);
  const Chart chart{ChartKind::BarStacked,
                    "What moves the saving",
                    "",
                    "USD of present value",
                    {{"low", sheet.range(first, 0, last, 0), sheet.range(first, 7, last, 7)},
                     {"high", sheet.range(first, 0, last, 0), sheet.range(first, 8, last, 8)}}};
  book.chart(sheet, 0, 10, chart);
}

void write_readiness(Sheet& sheet, const Plan& plan) {
  sheet.text(0, 0, "Readiness", Style::Title);
  sheet.text(1, 0, plan.readiness.summary);
  sheet.headers(3, {"Question", "Answer", "Evidence", "Missing"});
  std::uint32_t row = 3;
  for (const ReadinessItem& item : plan.readiness.items) {
    ++row;
    sheet.text(row, 0, item.question, Style::Wrapped);
    sheet.text(row, 1, readiness_name(item.state), Style::Wrapped);
    sheet.text(row, 2, item.evidence, Style::Wrapped);
    sheet.text(row, 3, joined(item.missing), Style::Wrapped);
  }
  sheet.width(0, 0, 40);
  sheet.width(1, 1, 12);
  sheet.width(2, 3, 60);
}

void write_sources(Sheet& sheet, const Plan& plan) {
  sheet.text(0, 0, "Sources", Style::Title);
  std::uint32_t row = 2;
  const auto line = [&](std::string_view what, std::string_view text) {
    sheet.text(row, 0, what);
    sheet.text(row, 1, text, Style::Wrapped);
    ++row;
  };
  line("Plan", fmt::format("made by Freehold on {}", date_text(plan.today)));
  line("Usage", plan.evidence);
  line("Charges", plan.reconciliation.summary);
  line("Price book", plan.profile.price_version);
  line("Hardware facts", plan.catalogue->hardware_as_of());
  line("Model facts", plan.catalogue->models_as_of());
  for (const std::string& note : plan.notes) line("Note", note);
  for (const std::string& caution : plan.verdict.cautions) line("Caution", caution);
  ++row;
  sheet.headers(row++, {"Key", "Title", "Address"});
  for (const Source& source : plan.catalogue->sources()) {
    sheet.text(row, 0, source.key);
    sheet.text(row, 1, source.title, Style::Wrapped);
    sheet.text(row, 2, source.address);
    ++row;
  }
  sheet.width(0, 0, 22);
  sheet.width(1, 1, 90);
  sheet.width(2, 2, 60);
}

}  // namespace fh::planner
