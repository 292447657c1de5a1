#pragma once
// Tells which buckets of usage are part of others: an hourly and a daily report of one organisation
// tell the same usage twice, and so do a month of costs and its days. Buckets are of the same usage
// when their format and every name in them are equal (provider, model, workspace, key, user, ...;
// tier, region, band of prompt lengths) and the period of one lies in that of the other. Then
// the side that tells more counts, tokens first, costs where there are none; of equals the finer.
//
// All buckets are seen first, in any order, then settle() decides: the order of files changes
// nothing. Buckets of an hour and less are taken together by their day; where no hour of it is told
// by both sides, both count. Periods that overlap in part, without one lying in the other, all
// count (`overlaps`). Credits, refunds and corrections are no part of the charge whose period they
// name: they always count. About 250 bytes for each day (or longer bucket) of a name; beyond
// `kEntriesMax` nothing more is told apart (`overflowed`). One thread.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "domain/usage_record.h"
#include "importers/totals.h"

namespace fh::importers {

// The same usage under other names, all of it in each: LiteLLM's daily tables (by user, by team, by
// tag, ...), GitHub's answers about an account and about its users, AWS's bill as a report of its
// own and as FOCUS. Of these tellings of a day the one that tells most counts. Tags count only
// where nothing else tells the day, since a request may have several. The two bills of AWS of a day
// are the same when their tokens or amounts are within one in a hundred, else both count
// (`bills_differ`); GitHub's report and what counts of its answers are when the amounts of a day
// and SKU are equal.

// How names begin that share a field with names of another kind.
inline constexpr std::string_view kEndUserName = "end user ", kOrganizationName = "organization ";

// How the item of a cost begins that corrects others.
inline constexpr std::string_view kCorrection = "Correction: ";

class Nesting {
 public:
  static constexpr std::size_t kEntriesMax = std::size_t{1} << 18;
  struct Left {               // out
    std::uint32_t model = 0;  // Share::model
    Totals totals;
  };

  // A bucket, and of one that takes another's place, what that counted as. Records of single
  // requests, and costs that name no model, are passed over. Before settle().
  void see(const domain::UsageRecord& record, const Share& share, const Share* before = nullptr);
  void see(const domain::CostRecord& record, const Share* before = nullptr);
  void settle();

  // After settle(): false for a bucket that is told by others.
  bool counts(const domain::UsageRecord& record);
  bool counts(const domain::CostRecord& record);
  const std::vector<Left>& left_out() const { return left_; }  // of usage
  const std::vector<Left>& left_out_costs() const { return left_costs_; }
  bool overlaps() const { return overlaps_; }
  bool bills_differ() const { return bills_differ_; }
  bool partly() const { return overlaps_ || bills_differ_; }
  bool overflowed() const { return overflowed_; }

 private:
  struct Place {  // of a bucket
    std::uint64_t names = 0;
    std::int64_t start = 0, end = 0;
    int level = 0;  // 0: minutes, 1: hours, 2: days and more, 3: all of one telling
    bool operator==(const Place&) const = default;
  };
  struct Telling {
    std::uint64_t group = 0;  // what is told; 0: it is told in one way only
    std::uint8_t kind = 0;    // the way
    bool must_agree = false;
    std::uint64_t bill = 0;  // of GitHub's two bills, as a second group; 0: none
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const;
  };
  struct Entry {
    Place place;
    std::uint32_t model = 0;
    bool is_cost = false, counts = true;
    std::uint32_t hours = 0;  // of its day that it tells of, a bit each; see hours_of()
    Telling telling;
    Totals totals;
  };
  struct Node;

  // False: the record is compared with nothing.
  bool place_of(const domain::UsageRecord& record, Place& place, Telling& telling);
  bool place_of(const domain::CostRecord& record, Place& place, Telling& telling);
  Telling telling_of(const domain::UsageRecord& record);
  Telling telling_of(const domain::CostRecord& record);
  Telling bill_of_aws(std::string_view format, std::string_view provider, std::int64_t start);
  Telling bill_of_github(const domain::CostRecord& record, Telling telling);
  static Telling way_of(const Telling& telling, bool bills);
  void settle_tellings(bool bills);
  bool is_best(const Telling& way) const;
  bool tells_nothing_in_common(const Entry& entry, std::span<const std::uint32_t> inside) const;
  void join(std::string_view name);
  void join(std::uint64_t number);
  // `share` nullptr: nothing comes in place of what was there.
  void add(const Place& place, const Telling& telling, bool is_cost, std::uint32_t hours,
           const Share* share, const Share* before);
  bool counts(const Place& place) const;
  bool counts_flat(const Telling& telling) const;
  void close(std::vector<Node>& open, std::vector<std::uint32_t>& inside);

  std::vector<Entry> entries_;
  std::unordered_map<Place, std::uint32_t, PlaceHash> index_;
  std::size_t last_ = 0;                                  // of entries_, the one added to last
  std::unordered_map<std::uint64_t, std::uint8_t> best_;  // kind by group, of those told twice
  struct {
    std::int64_t day = -1;
    std::string format, provider;
    Telling telling;
  } bill_;  // what bill_of_aws said last
  struct {
    std::int64_t day = -1;
    std::string item;
    std::uint64_t group = 0;
  } github_;  // what bill_of_github said last
  std::vector<Left> left_, left_costs_;
  std::string joined_;
  bool overlaps_ = false, bills_differ_ = false, overflowed_ = false;
};

// Finds what Nesting cannot decide: files of one format that tell of the same days, each grouped by
// other names (one by workspace, one by key). Whether that is the same usage stands in neither.
// One thread.
class Groupings {
 public:
  static constexpr std::size_t kDaysMax = std::size_t{1} << 16;
  void see(const domain::UsageRecord& record);  // of the file at hand
  // How many of the file's days a file before it has told by other names.
  std::size_t end_file(std::string_view format);

 private:
  unsigned names_ = 0;                                    // a bit for each name that the file has
  std::unordered_set<std::int64_t> days_;                 // of the file
  std::unordered_map<std::uint64_t, std::uint8_t> told_;  // names by format and day
};

}  // namespace fh::importers
