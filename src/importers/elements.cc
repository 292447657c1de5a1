// See elements.h.

#include "importers/elements.h"

#include <algorithm>

#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

constexpr std::size_t kDepthMax = 512;
constexpr std::size_t kKeyBytesMax = 32;
constexpr std::size_t kPageHeadBytesMax = 64 * 1024;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Bytes between records that mean nothing: a byte order mark and the record separator of RFC 7464.
bool is_filler(char c) {
  return is_space(c) || c == ',' || c == '\xEF' || c == '\xBB' || c == '\xBF' || c == '\x1E';
}

// Every text and truth value of `row` as "path=value", also of objects in it.
void collect_texts(codec::json::Value row, const std::string& path,
                   std::span<const std::string_view> without, std::vector<std::string>& parts) {
  for (const auto& [key, value] : row.members()) {
    if (std::ranges::find(without, key) != without.end()) continue;
    const std::string name = path + std::string(key);
    if (value.is_object()) {
      collect_texts(value, name + '.', without, parts);
    } else if (value.is_string() || value.is_bool()) {
      const auto text = value.as_string();
      parts.push_back(name + '=' + std::string(text ? *text : value.raw()));
    }
  }
}

}  // namespace

bool ElementSplitter::at_item() const {
  return open_.empty() || (open_.size() == 1 && open_[0] == '[');
}

bool ElementSplitter::may_open() const {
  if (open_.empty()) return true;
  return open_.back() == '{' ? last_ == ':' : (last_ == '[' || last_ == ',');
}

bool ElementSplitter::is_list_key() const {
  return page_depth_ != 0 && open_.size() == page_depth_ &&
         std::ranges::find(list_keys_, key_) != list_keys_.end();
}

void ElementSplitter::reset() {
  open_.clear();
  page_depth_ = list_depth_ = row_depth_ = 0;
  page_has_list_ = holding_ = too_long_ = in_string_ = escaped_ = false;
  last_ = 0;
  held_.clear();
  page_head_.clear();
  key_.clear();
}

void ElementSplitter::fail(std::string why, const Calls& calls) {
  calls.bad(holding_ ? held_line_ : line_, std::move(why));
  reset();
  lost_ = true;
}

void ElementSplitter::hold(std::string_view bytes) {
  if (!holding_ || too_long_) return;
  if (held_.size() + bytes.size() > element_max_) {
    too_long_ = true;
    held_ = {};
  } else {
    held_.append(bytes);
  }
}

void ElementSplitter::hold_from(char c) {
  holding_ = true;
  too_long_ = false;
  held_.assign(1, c);
  held_line_ = line_;
}

void ElementSplitter::end_row(std::string_view page_head, const Calls& calls) {
  if (too_long_) {
    calls.bad(held_line_, "a record is too long");
  } else {
    calls.row({held_, held_line_, page_head});
  }
  holding_ = too_long_ = false;
  held_.clear();
}

void ElementSplitter::open(char c, const Calls& calls) {
  if (!may_open()) {
    fail("damaged JSON", calls);
    if (!column_zero_) return;
    lost_ = false;  // a new record: the one before it was cut off
  }
  if (open_.size() == kDepthMax) return fail("nested too deep", calls);
  const bool item = at_item();
  if (item && c == '[' && !open_.empty()) return fail("a list in place of a record", calls);
  if (item && c == '{') {
    hold_from(c);
    page_has_list_ = false;
    page_head_.clear();
    page_depth_ = open_.size() + 1;
  } else if (list_depth_ != 0 && open_.size() == list_depth_) {
    if (c == '{') {
      hold_from(c);
      row_depth_ = open_.size() + 1;
    } else {
      calls.bad(line_, "a list in place of a record");
    }
  } else if (c == '[' && is_list_key()) {
    hold("[");
    if (!page_has_list_ && !too_long_ && held_.size() <= kPageHeadBytesMax) page_head_ = held_;
    page_has_list_ = true;
    holding_ = too_long_ = false;
    held_.clear();
    list_depth_ = open_.size() + 1;
  } else {
    hold({&c, 1});
  }
  open_.push_back(c);
  last_ = c;
}

void ElementSplitter::close(char c, const Calls& calls) {
  if (open_.empty() || open_.back() != (c == '}' ? '{' : '[')) return fail("damaged JSON", calls);
  hold({&c, 1});
  const std::size_t depth = open_.size();
  open_.pop_back();
  last_ = c;
  if (depth == row_depth_) {
    row_depth_ = 0;
    end_row(page_head_, calls);
  } else if (depth == list_depth_) {
    list_depth_ = 0;
  } else if (depth == page_depth_) {
    page_depth_ = 0;
    if (!page_has_list_) end_row({}, calls);
    page_has_list_ = false;
    page_head_.clear();
  }
  if (open_.empty()) last_ = 0;
}

// A byte of a number, a word or a separator, or the quote that begins a string.
void ElementSplitter::scalar(char c, const Calls& calls) {
  if (open_.empty()) {
    if (!is_filler(c)) fail("not a JSON record", calls);
    return;
  }
  const bool in_list = open_.size() == list_depth_ || (at_item() && open_.size() == 1);
  if (in_list && c != ',' && (last_ == '[' || last_ == ',')) {
    calls.bad(line_, "a record that is no object");
  }
  hold({&c, 1});
  in_string_ = c == '"';
  if (in_string_ && open_.size() == page_depth_) key_.clear();
  last_ = c;
}

void ElementSplitter::string_byte(char c, const Calls& calls) {
  if (c == '\n') return fail("a text is cut off", calls);
  hold({&c, 1});
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    in_string_ = false;
    return;
  }
  if (open_.size() == page_depth_ && key_.size() < kKeyBytesMax) key_.push_back(c);
}

// Takes the plain part of a string at once; the number of bytes taken.
std::size_t ElementSplitter::text_run(std::string_view piece) {
  const std::size_t end = std::min(piece.find_first_of("\"\\\n"), piece.size());
  if (end == 0) return 0;
  hold(piece.substr(0, end));
  if (open_.size() == page_depth_ && key_.size() < kKeyBytesMax) {
    key_.append(piece.substr(0, std::min(end, kKeyBytesMax - key_.size())));
  }
  return end;
}

void ElementSplitter::byte(char c, const Calls& calls) {
  if (lost_) {
    if (!column_zero_ || (c != '{' && c != '[')) return;
    lost_ = false;
  }
  if (in_string_) return string_byte(c, calls);
  switch (c) {
    case '{':
    case '[': return open(c, calls);
    case '}':
    case ']': return close(c, calls);
    default: break;
  }
  if (is_space(c)) {
    hold({&c, 1});
  } else {
    scalar(c, calls);
  }
}

void ElementSplitter::feed(std::string_view piece, const Row& row, const Bad& bad) {
  const Calls calls{row, bad};
  while (!piece.empty()) {
    if (in_string_ && !escaped_) {
      const std::size_t taken = text_run(piece);
      piece.remove_prefix(taken);
      if (taken > 0) column_zero_ = false;
      if (piece.empty()) return;
    }
    const char c = piece.front();
    piece.remove_prefix(1);
    byte(c, calls);
    column_zero_ = c == '\n';
    if (c == '\n') ++line_;
  }
}

void ElementSplitter::finish(const Bad& bad) {
  if (!open_.empty()) {
    bad(holding_ ? held_line_ : line_, "the file ends in the middle of a record");
  }
  reset();
  lost_ = false;
  column_zero_ = true;
  line_ = 1;
}

void ElementImporter::feed(std::string_view piece, Sink& sink) {
  splitter_.feed(
      piece,
      [&](const Element& element) {
        codec::json::Limits limits;
        limits.values_max = 2'000'000;
        const auto document = codec::json::Document::parse(element.text, limits);
        if (document) {
          row(document->root(), element, sink);
        } else {
          sink.skip(element.line, "damaged JSON");
        }
      },
      [&](std::uint64_t line, std::string why) { sink.skip(line, std::move(why)); });
}

void ElementImporter::finish(Sink& sink) {
  splitter_.finish([&](std::uint64_t line, std::string why) { sink.skip(line, std::move(why)); });
}

// A list, or a bracket alone on its line; whatever stands in front of the first bracket.
bool LaidOutRecords::is_laid_out(std::string_view head) {
  const std::size_t first = first_record(head);
  if (first == std::string_view::npos) return false;
  const std::size_t next = head.find_first_not_of(" \t\r", first + 1);
  return head[first] == '[' || (next != std::string_view::npos && head[next] == '\n');
}

void LaidOutRecords::feed(std::string_view piece, Sink& sink) {
  records_.feed(
      piece,
      [&](const Element& element) { lines_->take({element.text, element.line, false}, sink); },
      [&](std::uint64_t line, std::string why) { sink.skip(line, std::move(why)); });
}

void LaidOutRecords::finish(Sink& sink) {
  records_.finish([&](std::uint64_t line, std::string why) { sink.skip(line, std::move(why)); });
  lines_->finish(sink);
}

std::string text_of(codec::json::Value object, std::string_view key) {
  const auto text = object[key].as_string();
  return text ? name_of(*text) : std::string();
}

std::string text_of_any(codec::json::Value object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    std::string text = text_of(object, key);
    if (!text.empty()) return text;
  }
  return {};
}

std::uint64_t count_field(codec::json::Value object, std::string_view key, bool& bad) {
  const std::optional<std::uint64_t> count = count_of(object[key]);
  if (!count || *count > kCountMax) {
    bad = true;
    return 0;
  }
  return *count;
}

std::string bucket_identity(codec::json::Value row, std::string_view bucket,
                            std::span<const std::string_view> without, std::string also) {
  std::vector<std::string> parts;
  collect_texts(row, "", without, parts);
  if (!also.empty()) parts.push_back(std::move(also));
  std::ranges::sort(parts);
  parts.insert(parts.begin(), std::string(bucket));
  return identity_of(parts);
}

}  // namespace fh::importers
