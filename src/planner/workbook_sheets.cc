// The sheets that hold facts and results which are not recomputed: prices, capacity, hardware,
// sensitivity, readiness, sources.
#include "planner/workbook_sheets.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/words.h"
#include "planner/workbook_tco.h"

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

// Source, date and confidence; the length of the source, for fit_row.
std::size_t provenance(Sheet& sheet, std::uint32_t row, std::uint32_t col, const Provenance& from,
                       const Catalogue& catalogue) {
  const std::string source = source_text(catalogue, joined(from.sources));
  sheet.text(row, col, source, Style::Wrapped);
  sheet.text(row, col + 1, from.as_of);
  sheet.text(row, col + 2, confidence_name(from.confidence));
  return source.size();
}

// What people call a model of the catalogue.
std::string name_of(const Catalogue& catalogue, const std::string& id) {
  const Model* model = catalogue.model(id);
  return model == nullptr ? id : model->name;
}

struct Width {
  std::uint32_t first, last;
  double characters;
};

// Column widths, title and, over all columns, what the sheet shows.
void begin_sheet(Sheet& sheet, std::initializer_list<Width> widths, std::string_view title,
                 std::string_view note) {
  std::uint32_t last = 0;
  for (const Width& width : widths) {
    sheet.width(width.first, width.last, width.characters);
    last = std::max(last, width.last);
  }
  sheet.text(0, 0, title, Style::Title);
  if (!note.empty()) sheet.note(1, 0, last, note);
}

// Of a sheet that is one table whose head stands in row 3: the head stays in sight, on paper, too.
void end_table(Sheet& sheet, std::uint32_t row_last, std::uint32_t col_last) {
  sheet.freeze(4, 1);
  sheet.print(row_last, col_last);
  sheet.repeat_on_paper(3);
}

// Which workloads move in which option: flags that the inputs are computed from.
std::uint32_t write_flags(Workbook& book, Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "What moves (1) and what stays (0)", Style::Section);
  sheet.headers(row, {"Workload", num("own"), num("hybrid"), num("rent")});
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
  sheet.text(row, 0, "Share of their tokens that the machines serve; the rest spills",
             Style::Wrapped);
  sheet.fit_row(row, {{0, 62}});
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
             Style::Section);
  sheet.headers(row, {"Option", "Model", "Precision", "Machine", num("Machines"), num("Spare"),
                      num("Share of the tokens"), num("Busy in the busiest hour"),
                      num("First token, p95, ms"), num("Each further token, ms"),
                      num("Live conversations"), "Accuracy"});
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

std::uint32_t write_considered(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "Everything that was looked at for all that may move", Style::Section);
  sheet.headers(row, {"Machine", "Model", "Precision", "Fits", num("Machines at the peak"),
                      num("Machines for the floor"), num("One carries, tokens/s"),
                      num("First token, p95, ms"), num("Each further token, ms"),
                      num("kW with a spare"), num("USD with a spare, low"), num("USD, high"),
                      num("Rent USD/h, low"), num("USD/h, high")});
  for (const Considered& one : plan.considered) {
    ++row;
    sheet.text(row, 0, one.machine);
    sheet.text(row, 1, name_of(*plan.catalogue, one.model));
    sheet.text(row, 2, one.precision);
    if (!one.fits) {
      sheet.text(row, 3, "no: " + one.why_not, Style::Note);
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
  return row + 2;
}

// Of the pairs that fit: what one machine does, and how busy those for the peak are.
std::uint32_t write_speeds(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "How much one machine of those that fit does", Style::Section);
  sheet.headers(
      row, {"Machine", "Model", "Precision", "Accuracy", num("New prompt, tokens/s"),
            num("Output, tokens/s"), num("Output of one alone, tokens/s"),
            num("Live, of median length"), num("Live, of 95th percentile"),
            num("Machines at the peak"), num("Busy in the busiest hour"), num("Busy on average")});
  for (const Considered& one : plan.considered) {
    if (!one.fits) continue;
    ++row;
    sheet.text(row, 0, one.machine);
    sheet.text(row, 1, name_of(*plan.catalogue, one.model));
    sheet.text(row, 2, one.precision);
    sheet.text(row, 3, one.accuracy);
    sheet.number(row, 4, one.prefill_tok_s, Style::Count);
    sheet.number(row, 5, one.decode_tok_s, Style::Count);
    sheet.number(row, 6, one.decode_tok_s_alone, Style::Count);
    sheet.number(row, 7, one.sessions_p50, Style::Count);
    sheet.number(row, 8, one.sessions_p95, Style::Count);
    sheet.number(row, 9, one.machines_peak, Style::Count);
    sheet.number(row, 10, one.utilisation_peak, Style::Share);
    sheet.number(row, 11, one.utilisation_mean, Style::Share);
  }
  return row + 2;
}

// How busy the machines of each option are, by hour of the week.
std::uint32_t write_hours(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  for (const Option option : kFleets) {
    const OptionPick& pick = plan.picks[static_cast<std::size_t>(option)];
    if (!pick.found) continue;
    sheet.text(row++, 0,
               fmt::format("Busy by hour of the week (UTC), {}: {} x ({}), {}", option_name(option),
                           pick.machines, pick.machine_name, pick.accuracy),
               Style::Section);
    sheet.headers(row, {"", "", "", "Hour", num("Monday"), num("Tuesday"), num("Wednesday"),
                        num("Thursday"), num("Friday"), num("Saturday"), num("Sunday")});
    for (std::size_t hour = 0; hour < 24; ++hour) {
      sheet.text(++row, 3, fmt::format("{:02}:00", hour));
      for (std::size_t day = 0; day < 7; ++day) {
        sheet.number(row, static_cast<std::uint32_t>(4 + day), pick.busy_by_hour[day * 24 + hour],
                     Style::Share);
      }
    }
    row += 2;
  }
  return row;
}

std::uint32_t write_spread(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  const Sensitivity& sensitivity = plan.sensitivity;
  sheet.text(row++, 0,
             fmt::format("Sampled over the ranges: {} draws, seed {}", sensitivity.draws,
                         sensitivity.seed),
             Style::Section);
  sheet.headers(row, {"Option", num("Money back in month, p10"), num("p50"), num("p90"),
                      num("Money back in, share of draws"), num("Saved, USD, p10"), num("p50"),
                      num("p90"), num("Is the answer in, share of draws")});
  for (const OptionSpread& spread : sensitivity.spread) {
    ++row;
    sheet.text(row, 0, option_title(spread.option));
    if (spread.option != Option::Stay) {
      const Quantiles& month = spread.break_even_month;
      sheet.number(row, 1, month.p10, Style::Month);
      sheet.number(row, 2, month.p50, Style::Month);
      sheet.number(row, 3, month.p90, Style::Month);
      sheet.number(row, 4, spread.share_break_even, Style::Share);
      sheet.number(row, 5, spread.saved_npv_usd.p10, Style::Usd);
      sheet.number(row, 6, spread.saved_npv_usd.p50, Style::Usd);
      sheet.number(row, 7, spread.saved_npv_usd.p90, Style::Usd);
    }
    sheet.number(row, 8, spread.share_best, Style::Share);
  }
  return row + 2;
}

std::uint32_t write_flips(Sheet& sheet, const Plan& plan, std::uint32_t row) {
  sheet.text(row++, 0, "What would have to be true for another answer, one input at a time",
             Style::Section);
  sheet.headers(row, {"Input", num("Now"), num("Turns at"), "Unit", "Answer then", "In words"});
  for (const Flip& flip : plan.sensitivity.flips) {
    ++row;
    sheet.text(row, 0, flip.label);
    sheet.number(row, 1, flip.now, style_of_unit(flip.unit, false));
    sheet.text(row, 3, flip.unit);
    if (flip.found) {
      sheet.number(row, 2, flip.value, style_of_unit(flip.unit, false));
      sheet.text(row, 4, option_name(flip.to));
      sheet.text(row, 5, flip.reading);
    } else {
      sheet.text(row, 4, "the same");
      sheet.text(
          row, 5,
          fmt::format("no value from {} to {} changes it", flip.searched_low, flip.searched_high),
          Style::Note);
    }
  }
  return row + 2;
}

}  // namespace

void write_prices(Sheet& sheet, const Plan& plan) {
  begin_sheet(sheet, {{0, 1, 30}, {2, 9, 14}, {10, 10, 70}}, "API list prices of the models in use",
              fmt::format("USD per million tokens, standard tier, short prompts, before any "
                          "discount; price book {}. Each line of the sheet Usage is priced at its "
                          "own day, token class, tier and prompt length.",
                          plan.profile.price_version));
  sheet.headers(3, {"Model", "Name", num("Input"), num("Cache read"), num("Cache write, short"),
                    num("Cache write, 1 h"), num("Output"), "In force since", "Read on",
                    "Confidence", "Source"});
  std::uint32_t row = 3;
  for (const PriceLine& line : plan.prices) {
    ++row;
    sheet.text(row, 0, line.id);
    sheet.text(row, 1, line.name);
    optional_number(sheet, row, 2, line.input, Style::Rate);
    optional_number(sheet, row, 3, line.cache_read, Style::Rate);
    optional_number(sheet, row, 4, line.cache_write_5m, Style::Rate);
    optional_number(sheet, row, 5, line.cache_write_1h, Style::Rate);
    optional_number(sheet, row, 6, line.output, Style::Rate);
    sheet.text(row, 7, line.period_from.empty() ? "not established" : line.period_from);
    sheet.text(row, 8, line.as_of);
    sheet.text(row, 9, line.confidence);
    sheet.text(row, 10, line.source, Style::Wrapped);
    sheet.fit_row(row, {{10, line.source.size()}});
  }
  end_table(sheet, row, 10);
}

void write_capacity(Workbook& book, Sheet& sheet, const Plan& plan) {
  begin_sheet(
      sheet, {{0, 0, 40}, {1, 1, 26}, {2, 2, 12}, {3, 3, 32}, {4, 13, 13}},
      "Capacity: what the machines carry",
      fmt::format("Estimated from data sheets, 35 % either way, for the busiest hour of the "
                  "usage within a first token in {:.0f} ms (p95) and {:.0f} ms for each "
                  "further one. Results of the program: not recalculated here.",
                  plan.scenario.replacement.ttft_p95_ms, plan.scenario.replacement.tpot_ms));
  std::uint32_t row = write_flags(book, sheet, plan, 3);
  row = write_picks(sheet, plan, row);
  row = write_considered(sheet, plan, row);
  const std::uint32_t speeds = row;
  const std::uint32_t hours = write_speeds(sheet, plan, speeds);
  row = write_hours(sheet, plan, hours);
  sheet.freeze(0, 1);
  sheet.print(row, 13);
  sheet.break_above({speeds, hours});
}

void write_hardware(Sheet& sheet, const Plan& plan) {
  begin_sheet(
      sheet, {{0, 0, 40}, {1, 8, 14}, {9, 9, 64}, {10, 11, 12}, {12, 12, 50}, {13, 14, 12}},
      "Machines and what they cost",
      "Ranges of prices as found; the plan takes the middle. An offer in hand is worth more: "
      "write it into the inputs of own, hybrid or rent.");
  sheet.headers(3,
                {"Machine", num("GPUs"), num("Memory of one, GB"), num("Bandwidth of one, TB/s"),
                 num("Price, USD, low"), num("USD, high"), num("Rent of the machine, USD/h, low"),
                 num("USD/h, high"), num("Largest draw, kW"), "Source", "Date", "Confidence",
                 "Source of the rent", "Date", "Confidence"});
  std::uint32_t row = 3;
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
    const Provenance& from = machine.capex_usd ? machine.capex_usd->from : machine.from;
    std::map<std::uint32_t, std::size_t> lengths;
    lengths[9] = provenance(sheet, row, 9, from, *plan.catalogue);
    if (machine.rent_usd_per_hour) {
      lengths[12] = provenance(sheet, row, 12, machine.rent_usd_per_hour->from, *plan.catalogue);
    }
    sheet.fit_row(row, lengths);
  }
  end_table(sheet, row, 14);
}

namespace {

// The twelve that move most, and all of them as a table.
std::uint32_t write_tornado(Workbook& book, Sheet& sheet, const Plan& plan, std::uint32_t row) {
  const Sensitivity& sensitivity = plan.sensitivity;
  constexpr std::uint32_t kShown = 12, kChartRows = 22;
  const double base = plan.money.of(sensitivity.focus).saved_npv_usd;
  sheet.text(row++, 0,
             fmt::format("One input at a time: present value saved by \"{}\", {} as planned",
                         option_title(sensitivity.focus), dollars_text(base)),
             Style::Section);
  const std::uint32_t chart_row = row;
  row += kChartRows;
  sheet.headers(row,
                {"Input", num("Low"), num("High"), "Unit", num("Saved at low, USD"),
                 num("Saved at high, USD"), num("Change at low, USD"), num("Change at high, USD"),
                 "Answer at low", "Answer at high", "Confidence", "Source"});
  const std::uint32_t first = row + 1;
  for (const TornadoBar& bar : sensitivity.tornado) {
    ++row;
    const InputSpec& spec = input_specs()[*input_index(bar.input)];
    sheet.text(row, 0, spec.label);
    sheet.number(row, 1, bar.low, style_of_unit(spec.unit, false));
    sheet.number(row, 2, bar.high, style_of_unit(spec.unit, false));
    sheet.text(row, 3, spec.unit);
    sheet.number(row, 4, bar.saved_at_low, Style::Usd);
    sheet.number(row, 5, bar.saved_at_high, Style::Usd);
    sheet.number(row, 6, bar.saved_at_low - base, Style::Usd);
    sheet.number(row, 7, bar.saved_at_high - base, Style::Usd);
    sheet.text(row, 8, option_name(bar.best_at_low));
    sheet.text(row, 9, option_name(bar.best_at_high));
    const InputState& state = plan.scenario.inputs[*input_index(bar.input)];
    sheet.text(row, 10, state.confidence);
    const std::string source = source_text(*plan.catalogue, state.source);
    sheet.text(row, 11, source, Style::Wrapped);
    sheet.fit_row(row, {{11, source.size()}});
  }
  const std::uint32_t last = std::min(row, first + kShown - 1);
  Chart chart{ChartKind::Bar,
              "What moves the saving: change of present value, USD",
              "USD more or less saved than planned",
              "",
              {{"input at its low end", sheet.range(first, 0, last, 0),
                sheet.range(first, 6, last, 6), option_colour(Option::Rent)},
               {"input at its high end", sheet.range(first, 0, last, 0),
                sheet.range(first, 7, last, 7), option_colour(Option::Own)}}};
  chart.width_px = 1'100;
  chart.height_px = 420;
  book.chart(sheet, chart_row, 0, chart);
  return row;
}

}  // namespace

void write_sensitivity(Workbook& book, Sheet& sheet, const Plan& plan) {
  begin_sheet(sheet, {{0, 0, 56}, {1, 9, 15}, {10, 10, 12}, {11, 11, 60}}, "How sure the answer is",
              "Results of the program: not recalculated here. Saved is present value against "
              "staying; p10, p50 and p90 are the values that a tenth, half and nine tenths of the "
              "draws stay below.");
  std::uint32_t row = write_spread(sheet, plan, 3);
  row = write_flips(sheet, plan, row);
  if (!plan.sensitivity.tornado.empty()) row = write_tornado(book, sheet, plan, row);
  sheet.freeze(0, 1);
  sheet.print(row, 11);
}

void write_readiness(Sheet& sheet, const Plan& plan) {
  begin_sheet(sheet, {{0, 0, 42}, {1, 1, 12}, {2, 2, 60}, {3, 3, 50}},
              "Readiness: could you run it",
              plan.readiness.summary + " Readiness never changes the money.");
  sheet.headers(3, {"Question", "Answer", "Evidence", "Missing"});
  std::uint32_t row = 3;
  for (const ReadinessItem& item : plan.readiness.items) {
    ++row;
    const std::string missing = joined(item.missing);
    sheet.text(row, 0, item.question, Style::Wrapped);
    sheet.text(row, 1, readiness_name(item.state), Style::Wrapped);
    sheet.text(row, 2, item.evidence, Style::Wrapped);
    sheet.text(row, 3, missing, Style::Wrapped);
    sheet.fit_row(row, {{0, item.question.size()}, {2, item.evidence.size()}, {3, missing.size()}});
  }
  sheet.print(row, 3);
}

std::string source_text(const Catalogue& catalogue, const std::string& source) {
  if (source == "ask") return "nobody has said; your own figure belongs here";
  if (source == "ask; default none") return "nobody has said; none is assumed";
  if (source == "what if") return "a what-if, not a fact";
  std::string out;
  std::string_view rest = source;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(", "), rest.size());
    const std::string_view piece = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    const bool computed = piece == "calc";
    std::string words(computed ? "computed from the catalogue" : piece);
    for (const Source& known : catalogue.sources()) {
      if (computed) break;  // the catalogue's own title speaks of its file
      if (piece == known.key || piece.starts_with(known.key + " (")) {
        words = known.title + std::string(piece.substr(known.key.size()));
      }
    }
    out += (out.empty() ? "" : ", ") + words;
  }
  return out;
}

void write_sources(Sheet& sheet, const Plan& plan) {
  begin_sheet(sheet, {{0, 0, 22}, {1, 1, 90}, {2, 2, 84}}, "Sources", "");
  std::uint32_t row = 2;
  const auto line = [&](std::string_view what, std::string_view text) {
    sheet.text(row, 0, what);
    sheet.note(row, 1, 2, text, Style::Wrapped);
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
    sheet.fit_row(row, {{1, source.title.size()}});
    sheet.link(row, 2, source.address);
    ++row;
  }
  sheet.print(row, 2);
}

}  // namespace fh::planner
