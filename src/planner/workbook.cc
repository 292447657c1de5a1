// The workbook: sheets in order, the inputs with their names, and the answer as a formula. An input
// changed in a spreadsheet program changes every month, every total and the verdict; what is not
// recalculated says so.
#include <fmt/format.h>

#include <algorithm>

#include "planner/plan.h"
#include "planner/workbook_even.h"
#include "planner/workbook_sheets.h"
#include "planner/workbook_tco.h"
#include "planner/workbook_writer.h"

namespace fh::planner {
namespace {

// The work that moves in an option, in money or in tokens. Where the user wrote the one, the other
// goes with it.
std::string moved_formula(const Scenario& scenario, std::string_view option, bool tokens) {
  const char* own = tokens ? "workload_mtok" : "workload_usd";
  const char* other = tokens ? "workload_usd" : "workload_mtok";
  const std::string other_input = fmt::format("{}_moved_{}_month", option, tokens ? "usd" : "mtok");
  if (!scenario.by_user(other_input)) {
    return fmt::format("={0}_token_share*SUMPRODUCT({1},{0}_flags)", option, own);
  }
  return fmt::format(
      "=SUMPRODUCT({1},{0}_flags)*IF(SUMPRODUCT({2},{0}_flags)>0,{3}/"
      "MAX(0.000000001,SUMPRODUCT({2},{0}_flags)),{0}_token_share)",
      option, own, other, other_input);
}

// Inputs that follow from other sheets as long as nobody writes over them.
std::string formula_of(const Plan& plan, const std::string& input) {
  if (plan.usage.empty()) return {};
  if (input == "unexplained_share" && plan.reconciliation.evidence) return "=usage_unexplained";
  if (input == "bill_list_usd_month") return "=usage_total_usd/usage_days*365/12";
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    if (!plan.picks[static_cast<std::size_t>(option)].found) continue;
    const std::string name(option_name(option));
    if (input == name + "_moved_usd_month") return moved_formula(plan.scenario, name, false);
    if (input == name + "_moved_mtok_month") return moved_formula(plan.scenario, name, true);
  }
  return {};
}

std::string section_title(const Plan& plan, std::string_view section) {
  if (section == "bill") return "The bill";
  if (section == "api") return "API prices and load";
  if (section == "account") return "The account";
  if (section == "hardware") return "Hardware";
  if (section == "site") return "Where it stands";
  if (section == "staff") return "People";
  if (section == "move") return "The move, and rent";
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    if (section != option_name(option)) continue;
    const OptionPick& pick = plan.picks[static_cast<std::size_t>(option)];
    std::string out = fmt::format("{}: {}", option_name(option), option_title(option));
    if (pick.found) return out + fmt::format(", on {} with {}", pick.machine_name, pick.model_name);
    return plan.money.of(option).available ? out : out + " (no machine was found that carries it)";
  }
  return std::string(section);
}

// What the inputs say against each other, as text; nothing where they agree. The rules between
// inputs of validate() in scenario.cc.
std::string contradiction_formula() {
  std::string carries_nothing, moved;
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    carries_nothing +=
        fmt::format("{0}AND({1}_nodes_min>0,OR({1}_node_mtok_month<=0,{1}_utilisation<=0))",
                    carries_nothing.empty() ? "" : ",", option_name(option));
    moved += fmt::format("{}{}_moved_usd_month", moved.empty() ? "" : ",", option_name(option));
  }
  return fmt::format(
      "IF(horizon_months<>INT(horizon_months),\"The horizon must be a whole number of months.\","
      "IF(horizon_months>depreciation_years*12,"
      "\"The horizon is longer than the life of the hardware.\","
      "IF(load_draw_share<idle_draw_share,\"A busy machine draws less than an idle one.\","
      "IF(MAX({})>bill_list_usd_month*1.000000001,\"A way moves more than the whole bill.\","
      "IF(OR({}),\"A way has nodes that carry nothing.\",\"\")))))",
      moved, carries_nothing);
}

constexpr const char* kHowToRead[] = {
    "The question: go on paying the API (stay), own machines for all that may move (own), own a "
    "floor and let peaks go to the API (hybrid), or rent GPUs (rent). Each is counted month by "
    "month against staying.",
    "Change a shaded value. The months (TCO), the totals (Break-even) and the verdict above follow "
    "at once. Shaded values that are formulas come from your usage; write over one to try another. "
    "Where the inputs contradict each other the verdict is \"check inputs\", and why stands below "
    "this sheet's title.",
    "USD, no tax. Costs are positive; what is saved is positive where a way is cheaper than "
    "staying. List price is what the price list asks for your tokens; the discount is yours and "
    "comes off it. Only avoidable money counts as saved: commitments, credits and seats are paid "
    "either way.",
    "Cash is what is paid in a month: machines on the day of the order. The income statement "
    "spreads them over their life (depreciation). Present value discounts the cash at the cost of "
    "capital and counts the machines' worth at the end.",
    "Every input says where it comes from, of what day it is and how far it can be trusted; the "
    "sheet Sources has the titles and addresses. Low and High are the range that the sampling "
    "draws from.",
    "Not recalculated here: the size of the machines (Capacity), Sensitivity, Readiness and the "
    "sampled part of Break-even. For those write the value into a scenario file and run freehold "
    "plan --inputs again.",
};

// The first sheet: verdict, how to read all this, the four ways, the inputs.
class InputsSheet {
 public:
  InputsSheet(Workbook& book, Sheet& sheet, const Plan& plan)
      : book_(book), sheet_(sheet), plan_(plan) {}

  void write(const Sheet& even, const EvenRows& rows) {
    sheet_.width(0, 0, 66);
    sheet_.width(1, 1, 17);
    sheet_.width(2, 2, 15);
    sheet_.width(3, 4, 15);
    sheet_.width(5, 5, 58);
    sheet_.width(6, 6, 12);
    sheet_.width(7, 8, 11);
    sheet_.width(9, 9, 27);
    head(even, rows);
    how_to_read();
    ways(even, rows);
    inputs();
    sheet_.freeze(kFrozen, 0);
    sheet_.print(next_, kLastCol);
    sheet_.break_above(pages_);
  }

 private:
  static constexpr std::uint32_t kValueCol = 1;
  static constexpr std::uint32_t kLastCol = 9;
  static constexpr std::uint32_t kFrozen = 3;

  // Stays in sight while the inputs are changed.
  void head(const Sheet& even, const EvenRows& rows) {
    sheet_.text(0, 0, plan_.example ? "Freehold plan of an example company" : "Freehold plan",
                Style::Title);
    const OptionMoney& focus = plan_.money.of(plan_.sensitivity.focus);
    sheet_.text(0, 1, "Verdict", Style::Header);
    sheet_.text(0, 2, "Staying costs", Style::HeaderRight);
    sheet_.text(0, 3, "Best other way", Style::HeaderRight);
    sheet_.text(0, 4, "It costs", Style::HeaderRight);
    sheet_.text(0, 5, "It saves against staying (less than nothing: it costs more)",
                Style::HeaderRight);
    sheet_.text(0, 6, "Money back", Style::HeaderRight);
    sheet_.text(
        1, 0,
        fmt::format("{}; present value, USD; made {}", plan_.evidence, date_text(plan_.today)),
        Style::Note);
    const auto of_focus = [&](std::uint32_t row) {
      return fmt::format(
          "=INDEX({},1,MATCH(focus,{},0))",
          even.range(row, rows.col(Option::Stay), row, rows.col(Option::Rent)),
          even.range(kEvenNames, rows.col(Option::Stay), kEvenNames, rows.col(Option::Rent)));
    };
    sheet_.formula_text(1, 1, "=verdict", plan_.verdict.word, Style::Answer);
    sheet_.formula(1, 2, "=" + even.ref(rows.npv, rows.col(Option::Stay)),
                   plan_.money.of(Option::Stay).npv_usd, Style::Usd);
    sheet_.formula_text(1, 3, "=focus", std::string(option_name(focus.option)), Style::TextRight);
    sheet_.formula(1, 4, of_focus(rows.npv), focus.npv_usd, Style::Usd);
    sheet_.formula(1, 5, of_focus(rows.saved), focus.saved_npv_usd, Style::Usd);
    sheet_.formula(1, 6, of_focus(rows.month), focus.break_even_month, Style::Month);
    sheet_.formula_text(2, 0, "=" + contradiction_formula(), "", Style::Warning);
    book_.define("contradiction", sheet_.ref(2, 0));
    next_ = kFrozen;
  }

  void how_to_read() {
    sheet_.note(next_++, 0, kLastCol,
                plan_.verdict.headline + " (The sentence is of the inputs as they were written.)",
                Style::Wrapped);
    for (const std::string& reason : plan_.verdict.reasons) {
      sheet_.note(next_++, 0, kLastCol, reason, Style::NoteWrapped);
    }
    ++next_;
    sheet_.text(next_, 0, "How to read this", Style::Section);
    sheet_.fill(next_++, 1, kLastCol, Style::Section);
    for (const char* line : kHowToRead) sheet_.note(next_++, 0, kLastCol, line);
    ++next_;
  }

  void ways(const Sheet& even, const EvenRows& rows) {
    sheet_.headers(next_++, {"The four ways", num("Present value, USD"), num("Saved, USD"),
                             num("On the order day, USD"), num("Money back, month"), "With",
                             num("Cash saved at the end")});
    for (const Option option : kAllOptions) {
      const OptionMoney& money = plan_.money.of(option);
      sheet_.text(next_, 0, fmt::format("{}: {}", option_name(option), option_title(option)));
      const auto take = [&](std::uint32_t at, std::uint32_t row, double value, Style style) {
        sheet_.formula(next_, at, "=" + even.ref(row, rows.col(option)), value, style);
      };
      if (money.available) {
        take(1, rows.npv, money.npv_usd, Style::Usd);
        take(2, rows.saved, money.saved_npv_usd, Style::Usd);
        take(3, rows.order, money.months[0].cash, Style::Usd);
        take(4, rows.month, money.break_even_month, Style::Month);
        take(6, rows.kept, money.months[kMonthsMax].saved, Style::Usd);
      }
      const std::string with = with_text(option);
      sheet_.text(next_, 5, with, Style::Wrapped);
      sheet_.fit_row(next_++, {{5, with.size()}});
    }
    ++next_;
  }

  std::string with_text(Option option) const {
    const OptionPick& pick = plan_.picks[static_cast<std::size_t>(option)];
    if (option == Option::Stay) return "nothing moves";
    if (!pick.found) {
      return plan_.money.of(option).available ? "as written in the scenario"
                                              : "no machine was found that carries it";
    }
    std::string work;
    for (const std::uint32_t at : pick.workloads) {
      work += (work.empty() ? "" : ", ") + plan_.workloads[at].name;
    }
    return fmt::format("{}{} x ({}), {}: {:.0f} % of {}", pick.machines,
                       pick.spare > 0 ? fmt::format(" + {} spare", pick.spare) : "",
                       pick.machine_name, pick.model_name, 100 * pick.token_share, work);
  }

  void inputs() {
    const std::vector<InputSpec>& specs = input_specs();
    std::string_view section;
    for (std::uint32_t i = 0; i < specs.size(); ++i) {
      if (section != specs[i].section) {
        section = specs[i].section;
        if (i > 0) ++next_;
        // Parts stay together on paper.
        if (section == "hardware" || section == "move" || section == "rent")
          pages_.push_back(next_);
        sheet_.headers(
            next_++, {section_title(plan_, section), num("Value"), "Unit", num("Low"), num("High"),
                      "Source", "Date", "Confidence", "From", "Name in formulas"});
      }
      input(specs[i], plan_.scenario.inputs[i]);
    }
  }

  void input(const InputSpec& spec, const InputState& state) {
    const std::uint32_t row = next_++;
    std::string label = spec.label;
    // The head of the part says which option.
    if (const std::size_t colon = label.find(": ");
        colon == std::string_view(spec.section).size()) {
      label.erase(0, colon + 2);
    }
    sheet_.text(row, 0, label);
    MoneyInputs money = plan_.scenario.money;
    const double value = spec.at(money);
    const std::string formula =
        state.origin == Origin::Data ? formula_of(plan_, spec.name) : std::string();
    const Style style = style_of_unit(spec.unit, true);
    if (formula.empty()) {
      sheet_.number(row, kValueCol, value, style);
    } else {
      sheet_.formula(row, kValueCol, formula, value, style);
    }
    sheet_.allow(row, kValueCol, {spec.at_least, spec.at_most, takes_whole(spec)}, spec.unit);
    sheet_.text(row, 2, spec.unit);
    if (state.low < state.high) {
      sheet_.number(row, 3, state.low, style_of_unit(spec.unit, false));
      sheet_.number(row, 4, state.high, style_of_unit(spec.unit, false));
    }
    const std::string source = source_text(*plan_.catalogue, state.source);
    sheet_.text(row, 5, source, Style::Wrapped);
    sheet_.fit_row(row, {{0, label.size()}, {5, source.size()}});
    sheet_.text(row, 6, state.date);
    sheet_.text(row, 7, state.confidence);
    sheet_.text(row, 8,
                state.origin == Origin::Default ? "default"
                : state.origin == Origin::Data  ? "your data"
                                                : "yours");
    sheet_.text(row, 9, spec.name, Style::Note);
    book_.define(spec.name, sheet_.ref(row, kValueCol));
  }

  Workbook& book_;
  Sheet& sheet_;
  const Plan& plan_;
  std::uint32_t next_ = 0;
  std::vector<std::uint32_t> pages_;  // rows that begin one
};

}  // namespace

base::Status write_workbook(const Plan& plan, const std::string& path) {
  if (!can_write(path)) {
    return base::fail(base::Code::Unavailable, fmt::format("{} cannot be written", path),
                      "is the folder there and writable, and the file not open elsewhere?");
  }
  Workbook book(path, fmt::format("Freehold plan of {}{}", date_text(plan.today),
                                  plan.example ? " (example company)" : ""));
  Sheet& inputs = book.sheet("Inputs");
  Sheet& usage = book.sheet("Usage");
  Sheet& prices = book.sheet("Prices");
  Sheet& capacity = book.sheet("Capacity");
  Sheet& hardware = book.sheet("Hardware");
  Sheet& tco = book.sheet("TCO");
  Sheet& even = book.sheet("Break-even");
  Sheet& sensitivity = book.sheet("Sensitivity");
  Sheet& readiness = book.sheet("Readiness");
  Sheet& sources = book.sheet("Sources");
  write_usage(book, usage, plan);
  write_prices(prices, plan);
  write_capacity(book, capacity, plan);
  write_hardware(hardware, plan);
  write_tco(book, tco, plan.money, plan.scenario.money.horizon_months);
  const EvenRows rows = write_break_even(book, even, tco, plan);
  InputsSheet(book, inputs, plan).write(even, rows);
  write_sensitivity(book, sensitivity, plan);
  write_readiness(readiness, plan);
  write_sources(sources, plan);
  return book.close();
}

}  // namespace fh::planner
