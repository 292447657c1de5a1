#pragma once
// Reading usage from files: one importer per format, chosen by content, streaming, in bounded
// memory. An importer reads counts and names, never prompt text: values of text fields are skipped
// over, not copied.
//
// A file is read once from front to back in pieces. A bad row is skipped with a reason and the good
// rows around it are kept; nothing in a file can end the import except the reader's own I/O error.
// Threads: one importer object per file, one thread; factories are immutable.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/usage_record.h"
#include "importers/row_identity.h"

namespace fh::importers {

struct Skip {
  std::string file;
  std::uint64_t line = 0;  // 1-based; 0: the file as a whole
  std::string why;         // one plain sentence; no content of the file in it
};

// What one row of a table says.
struct RowRecords {
  domain::UsageRecord usage;
  domain::CostRecord cost;
  bool has_usage = false, has_cost = false;
  // With `which`: the records' identity, not yet in them. Not two rows of a file have the same.
  RowKey key;

  void give_ids() {
    if (key.which == 0) return;
    if (has_usage) key.to(usage.source_id);
    if (has_cost) key.to(cost.source_id);
  }
};

// Where records go: the archive, a counter, a test.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void usage(domain::UsageRecord&& record) = 0;
  virtual void cost(domain::CostRecord&& record) = 0;
  virtual void skip(std::uint64_t line, std::string why) = 0;
  // Several in their order. What is left of them is the caller's: a sink that has no use for their
  // texts leaves these where they are, so that their room can be used again.
  virtual void rows(std::span<RowRecords> rows) {
    for (RowRecords& row : rows) {
      row.give_ids();
      if (row.has_usage) usage(std::move(row.usage));
      if (row.has_cost) cost(std::move(row.cost));
    }
  }
};

// One file being read. Records of one event that a source repeats (a transcript writes one line per
// content block) are folded inside the importer where the source says how; across files the
// archive's source_id decides.
class Importer {
 public:
  virtual ~Importer() = default;
  // The next piece of the file, in order; pieces end anywhere.
  virtual void feed(std::string_view piece, Sink& sink) = 0;
  // After the last piece: what is still held (an unfinished last line, folded records).
  virtual void finish(Sink& sink) = 0;
};

struct FileHint {
  std::string_view
      path;  // as found; for formats whose identity is in the path (Codex, Claude Code)
  std::string_view head;  // the first kHeadBytes of the content, less if the file is shorter
  std::int64_t modified_unix_ns = 0;  // the file's own time; 0: not known
};
inline constexpr std::size_t kHeadBytes = 64 * 1024;

struct Options {
  // Content of --mapping: every file is a CSV file to be read so. Empty: files are recognised.
  std::string mapping_toml;
};

struct Format {
  std::string_view name;   // "claude-code"; a record's `format`
  std::string_view title;  // "Claude Code transcript"
  // 0: not this format; the highest value wins, 100: the content says so unmistakably.
  int (*recognise)(const FileHint& hint);
  base::Result<std::unique_ptr<Importer>> (*open)(const FileHint& hint, const Options& options);
  bool by_mapping = false;  // the one that reads whatever Options::mapping_toml describes
};

// All formats, in the order they are asked. Defined in formats.cc.
std::span<const Format> formats();

// Cuts pieces into lines, CR LF or LF, without copying lines that lie whole in a piece. A line
// longer than `line_max` is reported once with `text` empty and `too_long` set.
class LineSplitter {
 public:
  static constexpr std::size_t kLineMax = 64 * 1024 * 1024;
  explicit LineSplitter(std::size_t line_max = kLineMax) : line_max_(line_max) {}
  struct Line {
    std::string_view text;
    std::uint64_t number = 0;
    bool too_long = false;
  };
  template <typename Fn>  // void(const Line&)
  void feed(std::string_view piece, Fn&& fn);
  template <typename Fn>
  void finish(Fn&& fn);

 private:
  std::size_t line_max_;
  std::string held_;
  bool dropping_ = false;
  std::uint64_t number_ = 0;
};

template <typename Fn>
void LineSplitter::feed(std::string_view piece, Fn&& fn) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    std::string_view part = piece.substr(0, end);
    if (dropping_) {
      part = {};
    } else if (held_.size() + part.size() > line_max_) {
      held_.clear();
      dropping_ = true;
    } else if (end == std::string_view::npos || !held_.empty()) {
      held_.append(part);
      part = held_;
    }
    if (end == std::string_view::npos) return;
    ++number_;
    if (!part.empty() && part.back() == '\r') part.remove_suffix(1);
    fn(Line{part, number_, dropping_});
    dropping_ = false;
    held_.clear();
    piece.remove_prefix(end + 1);
  }
}

template <typename Fn>
void LineSplitter::finish(Fn&& fn) {
  if (held_.empty() && !dropping_) return;
  ++number_;
  std::string_view part = held_;
  if (!part.empty() && part.back() == '\r') part.remove_suffix(1);
  fn(Line{part, number_, dropping_});
  held_.clear();
  dropping_ = false;
}

// An importer of a record per line.
class LineImporter : public Importer {
 public:
  explicit LineImporter(std::size_t line_max = LineSplitter::kLineMax) : lines_(line_max) {}
  void feed(std::string_view piece, Sink& sink) final {
    lines_.feed(piece, [&](const LineSplitter::Line& line) { this->line(line, sink); });
  }
  void finish(Sink& sink) override {
    lines_.finish([&](const LineSplitter::Line& line) { this->line(line, sink); });
  }
  // A record that stands over several lines, or beside others on one.
  void take(const LineSplitter::Line& record, Sink& sink) { line(record, sink); }

 protected:
  virtual void line(const LineSplitter::Line& line, Sink& sink) = 0;

 private:
  LineSplitter lines_;
};

}  // namespace fh::importers
