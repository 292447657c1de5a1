#pragma once
// Rates of the price book as numbers: to price past tokens as of today, to see announced changes,
// and to show what was used. Private to plan.cc. Rates are those of short prompts and of noon UTC;
// length bands and hours of the day enter through the profile's own prices, of which only the ratio
// to today is taken from here.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "planner/plan.h"
#include "pricing/price_book.h"

namespace fh::planner {

// USD per Mtok by class: input, cache read, write 5 min, write 30 min, write 1 h, output.
using ClassRates = std::array<std::optional<double>, 6>;

class RateTable {
 public:
  explicit RateTable(const pricing::PriceBook& book) : book_(book) {}
  const ClassRates& at(const std::string& entry, std::int32_t day, pricing::Tier tier);
  // Price of these tokens on `later` / their price on `earlier`; 1 where one of them has no price.
  double factor(const std::string& entry, const ClassTotals& tokens, pricing::Tier tier,
                std::int32_t earlier, std::int32_t later);
  std::string period_from(const std::string& entry, std::int32_t day) const;

 private:
  const pricing::PriceBook& book_;
  std::map<std::tuple<std::string, std::int32_t, pricing::Tier>, ClassRates> known_;
};

}  // namespace fh::planner
