#pragma once
// Cuts what a usage API answered into its rows, whichever way the answers were saved: one page, a
// page per line, an array of pages, pages one after another, rows per line, an array of rows. A
// page is an object with a list of rows under a known key; every other object at the top is a row
// itself. Rows are given out one at a time, so that a file of any length needs the memory of its
// longest row.
//
// Damage costs as little as can be: after an error, reading goes on at the next line that begins
// with a bracket. The text of a row is balanced, not checked further: it goes to
// codec::json::Document.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "importers/importer.h"

namespace fh::importers {

struct Element {
  std::string_view text;  // "{...}", whole
  std::uint64_t line = 0;
  // For a row of a page: the page's text before the list, "{\"by\":\"day\",\"rows\":"; empty
  // otherwise or when it is longer than 64 KiB.
  std::string_view page_head;
};

class ElementSplitter {
 public:
  // `list_keys` outlive the splitter: {"data", "rows"}.
  explicit ElementSplitter(std::span<const std::string_view> list_keys,
                           std::size_t element_max = 32 * 1024 * 1024)
      : list_keys_(list_keys), element_max_(element_max) {}

  using Row = std::function<void(const Element&)>;
  using Bad = std::function<void(std::uint64_t line, std::string why)>;
  void feed(std::string_view piece, const Row& row, const Bad& bad);
  void finish(const Bad& bad);

 private:
  struct Calls {
    const Row& row;
    const Bad& bad;
  };
  std::size_t text_run(std::string_view piece);
  void string_byte(char c, const Calls& calls);
  void byte(char c, const Calls& calls);
  void open(char c, const Calls& calls);
  void close(char c, const Calls& calls);
  void scalar(char c, const Calls& calls);
  void hold(std::string_view bytes);
  void hold_from(char c);
  void end_row(std::string_view page_head, const Calls& calls);
  void fail(std::string why, const Calls& calls);
  void reset();
  bool at_item() const;      // where a page, or a row without one, may begin
  bool may_open() const;     // whether a value is due here
  bool is_list_key() const;  // whether the list that opens here is one of rows

  std::span<const std::string_view> list_keys_;
  std::size_t element_max_;
  std::vector<char> open_;      // '{' or '[' of every open container
  std::size_t page_depth_ = 0;  // of the object that is a page or a row itself; 0: in none
  std::size_t list_depth_ = 0;  // of the page's list of rows; 0: not in it
  std::size_t row_depth_ = 0;   // of the row in that list; 0: in none
  bool page_has_list_ = false;  // the object at hand is a page: it is not a row itself
  bool holding_ = false, too_long_ = false;
  bool in_string_ = false, escaped_ = false;
  bool lost_ = false;  // after an error, until a line that begins with a bracket
  bool column_zero_ = true;
  char last_ = 0;  // last byte outside of strings that was no space; '"' for a string
  std::uint64_t line_ = 1, held_line_ = 0;
  std::string held_, page_head_;
  std::string key_;  // last string directly in the page at hand, cut
};

// An importer over such rows: a subclass reads one parsed row.
class ElementImporter : public Importer {
 public:
  explicit ElementImporter(std::span<const std::string_view> list_keys) : splitter_(list_keys) {}
  void feed(std::string_view piece, Sink& sink) override;
  void finish(Sink& sink) override;

 protected:
  virtual void row(codec::json::Value value, const Element& element, Sink& sink) = 0;

 private:
  ElementSplitter splitter_;
};

// Records that their writer puts on a line each, as tools save them that show them: as a list, or
// each over several lines. The importer of lines behind it reads them.
class LaidOutRecords final : public Importer {
 public:
  // `list_keys`: of the lists in which records may stand, see ElementSplitter.
  explicit LaidOutRecords(std::unique_ptr<LineImporter> lines,
                          std::span<const std::string_view> list_keys = {})
      : records_(list_keys), lines_(std::move(lines)) {}
  // Whether a file that begins so has its records in this way.
  static bool is_laid_out(std::string_view head);
  void feed(std::string_view piece, Sink& sink) override;
  void finish(Sink& sink) override;

 private:
  ElementSplitter records_;
  std::unique_ptr<LineImporter> lines_;
};

// Fields of a parsed row. Text: empty when absent, null or no string; made safe by name_of.
std::string text_of(codec::json::Value object, std::string_view key);
// Of several names for one thing, the first that is there.
std::string text_of_any(codec::json::Value object, std::initializer_list<std::string_view> keys);
// Whole count, 0 when absent or null. `bad` is set for anything that is not a believable count.
std::uint64_t count_field(codec::json::Value object, std::string_view key, bool& bad);
// Identity of a bucket row: its times and every text and truth value in it, in order of the keys.
// Two pulls of one bucket agree whatever the counts have grown to; groupings that are not known yet
// still tell rows apart. Members named in `without` (amounts written as text, times of refresh) do
// not count.
// `also`: one more text, as "path=value", that another form of the row has in it; empty: none.
std::string bucket_identity(codec::json::Value row, std::string_view bucket,
                            std::span<const std::string_view> without, std::string also = {});

}  // namespace fh::importers
