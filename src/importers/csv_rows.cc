// A row that lies whole and undamaged in the text is taken to pieces in one walk over its marks.
// All else goes the long way, where the search for the row's end is apart from taking it to pieces:
// the search keeps its state between pieces, so that a long quoted field is looked at once however
// small the pieces are, and it knows how to give up a damaged line.

#include "importers/csv_rows.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace fh::importers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::size_t kPartBytes = 4096;

std::size_t find_byte(std::string_view text, char c, std::size_t from, std::size_t to) {
  if (from >= to) return kNone;
  const void* found = std::memchr(text.data() + from, c, to - from);
  return found == nullptr ? kNone
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Takes one quoted field that begins at `at` (on its quote); `at` ends behind its closing quote.
// The text has been scanned before, so that the quote is known to close.
std::string_view take_quoted_of(std::string_view text, std::size_t& at, std::string& buffer) {
  std::size_t from = at + 1;
  const std::size_t begin = buffer.size();
  while (true) {
    const std::size_t quote = text.find('"', from);
    if (quote == kNone) {  // only by split_csv_row on a text that is no row
      at = kNone;
      return {};
    }
    if (quote + 1 >= text.size() || text[quote + 1] != '"') {
      const std::string_view rest = text.substr(from, quote - from);
      at = quote + 1;
      if (buffer.size() == begin) return rest;
      buffer.append(rest);
      return std::string_view(buffer).substr(begin);
    }
    buffer.append(text, from, quote + 1 - from);
    from = quote + 2;
  }
}

// A walk over the marks of a text. Nothing takes its address, so that it stays in registers.
class Walk {
 public:
  Walk(std::string_view text, CsvMarks& marks, const CsvMarks::Cursor& cursor)
      : end_(text.data() + text.size()),
        marks_(marks),
        window_(text.data() + cursor.window),
        text_(text.data()),
        at_(cursor.at),
        last_(cursor.end) {}
  // The next mark; nullptr behind the last.
  const char* next() {
    if (at_ == last_ && !look_ahead()) return nullptr;
    return window_ + *at_++;
  }
  // The closing quote of a field whose opening quote was the last mark; nullptr when the field is
  // damaged or its end not in sight. The next mark is the delimiter or line break behind it.
  const char* skip_quoted(char delimiter, std::size_t& breaks, bool& doubled) {
    while (const char* const mark = next()) {
      if (*mark == '\0') return nullptr;
      if (*mark == '\n') ++breaks;
      if (*mark != '"') continue;
      if (mark + 1 == end_) return nullptr;
      const char after = mark[1];
      if (after == delimiter || after == '\n') return mark;
      if (after == '\r' && end_ - mark > 2 && mark[2] == '\n') return mark;
      if (after != '"') return nullptr;
      doubled = true;
      next();
    }
    return nullptr;
  }
  CsvMarks::Cursor cursor() const {
    return {at_, last_, static_cast<std::size_t>(window_ - text_)};
  }

 private:
  bool look_ahead() {
    const CsvMarks::Cursor cursor = marks_.look_ahead();
    at_ = cursor.at;
    last_ = cursor.end;
    window_ = text_ + cursor.window;
    return at_ != last_;
  }

  const char* const end_;
  CsvMarks& marks_;
  const char* window_;
  const char* text_;
  const std::uint16_t* at_;
  const std::uint16_t* last_;
};

}  // namespace

std::string_view row_fault_text(RowFault fault) {
  switch (fault) {
    case RowFault::None: return "";
    case RowFault::TooLong: return "the row is longer than a row may be";
    case RowFault::TooManyFields: return "the row has more fields than a row may have";
    case RowFault::OpenQuote: return "a quoted field is never closed";
    case RowFault::BadQuote: return "a quoted field is followed by text before its delimiter";
    case RowFault::NulByte: return "the row holds a NUL byte, as after a crash of its writer";
  }
  return "";
}

// What of the piece is read next: all of it, or while a row is held up to a line break that may end
// that row, so that not the whole piece has to be copied behind it.
std::string_view CsvRows::take_part(std::string_view& piece) {
  std::size_t size = piece.size();
  if (!held_.empty()) {
    const std::size_t line_end = find_byte(piece, '\n', part_bytes_, piece.size());
    if (line_end != kNone) size = line_end + 1;
    part_bytes_ = std::max(kPartBytes, 2 * part_bytes_);
  }
  const std::string_view part = piece.substr(0, size);
  piece.remove_prefix(size);
  return part;
}

void CsvRows::begin(std::string_view piece) {
  if (held_.empty()) {
    text_ = piece;
  } else {
    held_.append(piece);
    text_ = held_;
  }
  at_ = 0;
  marked_ = kNone;
}

// Keeps the unfinished row for the next piece.
void CsvRows::end() {
  if (text_.data() == held_.data() && !held_.empty()) {
    held_.erase(0, at_);
  } else {
    held_.assign(text_.substr(at_));
  }
  scanned_ = scanned_ > at_ ? scanned_ - at_ : 0;
  at_ = 0;
  text_ = {};
  if (held_.empty()) part_bytes_ = 0;
}

// Passes over the byte order mark, blank lines and a spreadsheet's line "sep=;", and settles the
// delimiter, once the first row's line is here.
bool CsvRows::start(bool last) {
  std::size_t at = text_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  std::uint64_t passed = 0;
  char told = '\0';
  while (true) {
    const std::size_t line_end = find_byte(text_, '\n', at, text_.size());
    if (line_end == kNone && !last && text_.size() <= limits_.row_bytes_max) return false;
    std::string_view line = text_.substr(at, line_end == kNone ? kNone : line_end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool says = told == '\0' && line.size() == 5 && line.starts_with("sep=");
    if (line_end != kNone && (says || line.empty())) {
      if (says) told = line.back();
      at = line_end + 1;
      ++passed;
      continue;
    }
    at_ = scanned_ = at;
    line_ += passed;
    at_start_ = false;
    if (delimiter_ == '\0') delimiter_ = told;
    if (delimiter_ == '\0') choose_delimiter(line);
    return true;
  }
}

// The one that the header has most of: a name may hold another one.
void CsvRows::choose_delimiter(std::string_view first) {
  constexpr std::string_view kDelimiters = ",;\t|";
  std::array<std::size_t, kDelimiters.size()> counts{};
  bool quoted = false;
  for (const char c : first) {
    if (c == '"') quoted = !quoted;
    const std::size_t kind = quoted ? std::string_view::npos : kDelimiters.find(c);
    if (kind != std::string_view::npos) ++counts[kind];
  }
  delimiter_ =
      kDelimiters[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
}

// Looks through the quotes between scanned_ and the line break at `line_end`. Row: the line break
// ends the row. More: it stands inside quotes, or the text ends undecided; scanned_ says how far.
CsvRows::Scan CsvRows::scan_quotes(std::size_t line_end, bool last) {
  while (true) {
    const std::size_t quote = find_byte(text_, '"', scanned_, line_end);
    if (quote == kNone) {
      scanned_ = line_end;
      return in_quotes_ ? Scan::More : Scan::Row;
    }
    if (!in_quotes_) {
      const bool opens = quote == at_ || text_[quote - 1] == delimiter_;
      in_quotes_ = opens;
      quoted_ = quoted_ || opens;
      scanned_ = quote + 1;
      continue;
    }
    if (quote + 1 == text_.size()) {  // doubled or closing: the next byte says
      scanned_ = last ? quote + 1 : quote;
      if (!last) return Scan::More;
      in_quotes_ = false;
      continue;
    }
    const char after = text_[quote + 1];
    if (after == '"') {
      scanned_ = quote + 2;
      continue;
    }
    const bool closes = after == delimiter_ || after == '\n' || after == '\r';
    if (!closes) {
      fault_ = RowFault::BadQuote;
      return Scan::Bad;
    }
    in_quotes_ = false;
    scanned_ = quote + 1;
  }
}

// The row at at_ is damaged: only its first line is given up. A line longer than a row may be is
// passed over without being held.
CsvRows::Scan CsvRows::give_up(RowFault fault, bool last) {
  fault_ = fault;
  const std::size_t line_end = find_byte(text_, '\n', at_, text_.size());
  if (line_end != kNone) {
    row_next_ = line_end + 1;
    return Scan::Bad;
  }
  row_next_ = text_.size();
  dropping_ = !last;
  return Scan::Bad;
}

CsvRows::Scan CsvRows::find_end(bool last) {
  while (true) {
    const std::size_t line_end = find_byte(text_, '\n', scanned_, text_.size());
    const std::size_t stop = line_end == kNone ? text_.size() : line_end;
    const Scan scan = scan_quotes(stop, last);
    if (scan == Scan::Bad) return give_up(fault_, last);
    if (stop - at_ > limits_.row_bytes_max) return give_up(RowFault::TooLong, last);
    if (scan == Scan::Row && line_end != kNone) {
      row_end_ = line_end;
      row_next_ = line_end + 1;
      return Scan::Row;
    }
    if (line_end == kNone) {
      if (!last) return Scan::More;
      if (in_quotes_) return give_up(RowFault::OpenQuote, last);
      row_end_ = row_next_ = text_.size();
      return Scan::Row;
    }
    // Inside quotes at a line break. A closing quote in front of the break that was left undecided
    // cannot be: the break follows it.
    scanned_ = line_end + 1;
  }
}

void CsvRows::fail(CsvRow& row, RowFault fault) {
  row.fields = {};
  row.fault = fault;
}

bool CsvRows::next(CsvRow& row, bool last) {
  while (true) {
    if (dropping_) {
      const std::size_t line_end = find_byte(text_, '\n', at_, text_.size());
      if (line_end == kNone) {
        at_ = scanned_ = text_.size();
        return false;
      }
      dropping_ = false;
      at_ = scanned_ = line_end + 1;
      ++line_;
    }
    if (at_start_ && !start(last)) return false;
    if (at_ >= text_.size()) return false;
    if (scanned_ == at_) {  // nothing is known of the row yet
      const Whole whole = take_whole(row);
      if (whole == Whole::Row) return true;
      if (whole == Whole::Blank) continue;
    }
    const Scan scan = find_end(last);
    if (scan == Scan::More) return false;
    const std::string_view text = text_.substr(at_, row_end_ - at_);
    row.line = line_;
    row.fault = RowFault::None;
    bool whole = true;
    if (scan == Scan::Bad) {
      fail(row, fault_);
      line_ += dropping_ ? 0 : 1;
    } else {
      whole = split(text, row);
      line_ += 1;
      if (quoted_) line_ += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    }
    at_ = scanned_ = row_next_;
    in_quotes_ = quoted_ = false;
    if (whole) return true;  // else a blank line
  }
}

// The row at at_ if its end is in sight and nothing is wrong with it. No: nothing has changed.
CsvRows::Whole CsvRows::take_whole(CsvRow& row) {
  if (marked_ != at_) cursor_ = marks_.begin(text_, at_, delimiter_);
  marked_ = kNone;
  doubled_.clear();
  Walk walk(text_, marks_, cursor_);
  const char* const begin = text_.data() + at_;
  const char* from = begin;
  const char* mark = nullptr;
  const char delimiter = delimiter_;
  std::string_view* field = fields_.data();
  const std::string_view* const room = field + fields_.size();
  std::size_t breaks = 0;
  bool quoted = false;
  while (true) {
    if (field == room) return more_fields(row);
    mark = walk.next();
    if (mark == nullptr) return Whole::No;
    quoted = *mark == '"';
    if (!quoted) {
      *field++ = {from, static_cast<std::size_t>(mark - from)};
    } else if (mark == from) {
      bool doubled = false;
      const char* const end = walk.skip_quoted(delimiter, breaks, doubled);
      if (end == nullptr) return Whole::No;
      if (doubled) doubled_.push_back(static_cast<std::size_t>(field - fields_.data()));
      *field++ = {from + 1, static_cast<std::size_t>(end - from - 1)};
      mark = walk.next();
    } else {
      continue;  // a quote inside a field that did not begin with one
    }
    if (*mark != delimiter) break;
    from = mark + 1;
  }
  if (*mark != '\n' || static_cast<std::size_t>(mark - begin) > limits_.row_bytes_max) {
    return Whole::No;
  }
  std::string_view& last = field[-1];
  if (!quoted && last.ends_with('\r')) last.remove_suffix(1);
  if (!doubled_.empty()) unescape(static_cast<std::size_t>(mark - begin));
  row = {std::span(fields_.data(), field), line_, RowFault::None};
  line_ += 1 + breaks;
  at_ = scanned_ = marked_ = static_cast<std::size_t>(mark + 1 - text_.data());
  cursor_ = walk.cursor();
  return row.fields.size() == 1 && !quoted && last.empty() ? Whole::Blank : Whole::Row;
}

// The row at at_ once more with room for more fields, as many as a row may have at the most.
CsvRows::Whole CsvRows::more_fields(CsvRow& row) {
  if (fields_.size() >= limits_.fields_max) return Whole::No;
  fields_.resize(std::min(limits_.fields_max, fields_.size() * 4 + 32));
  return take_whole(row);
}

// Takes the doubled quotes out of the fields that have some.
void CsvRows::unescape(std::size_t row_bytes) {
  unescaped_.clear();
  unescaped_.reserve(row_bytes);  // never more: the views into it stay
  for (const std::size_t index : doubled_) {
    std::string_view rest = fields_[index];
    const std::size_t begin = unescaped_.size();
    while (!rest.empty()) {
      const std::size_t quote = find_byte(rest, '"', 0, rest.size());
      const std::size_t size = quote == kNone ? rest.size() : quote + 1;
      unescaped_.append(rest.substr(0, size));
      rest.remove_prefix(quote == kNone ? size : size + 1);
    }
    fields_[index] = std::string_view(unescaped_).substr(begin);
  }
}

// False for a blank line.
bool CsvRows::split(std::string_view text, CsvRow& row) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (text.empty()) return false;
  fields_.clear();
  if (find_byte(text, '\0', 0, text.size()) != kNone) {
    fail(row, RowFault::NulByte);
    return true;
  }
  if (quoted_) {
    if (!split_csv_row(text, delimiter_, fields_, unescaped_)) {
      fail(row, RowFault::BadQuote);
      return true;
    }
  } else {
    split_plain(text);
  }
  if (fields_.size() > limits_.fields_max) {
    fail(row, RowFault::TooManyFields);
    return true;
  }
  row.fields = fields_;
  return true;
}

void CsvRows::split_plain(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (fields_.size() <= limits_.fields_max) {
    const void* found = std::memchr(at, delimiter_, static_cast<std::size_t>(end - at));
    if (found == nullptr) break;
    const char* const stop = static_cast<const char*>(found);
    fields_.emplace_back(at, static_cast<std::size_t>(stop - at));
    at = stop + 1;
  }
  fields_.emplace_back(at, static_cast<std::size_t>(end - at));
}

bool split_csv_row(std::string_view text, char delimiter, std::vector<std::string_view>& fields,
                   std::string& buffer) {
  buffer.clear();
  buffer.reserve(text.size());  // never more: the views into it stay
  fields.clear();
  std::size_t at = 0;
  while (true) {
    if (at < text.size() && text[at] == '"') {
      fields.push_back(take_quoted_of(text, at, buffer));
      if (at == kNone) return false;
    } else {
      const std::size_t stop = std::min(text.find(delimiter, at), text.size());
      fields.push_back(text.substr(at, stop - at));
      at = stop;
    }
    if (at >= text.size()) return true;
    if (text[at] != delimiter) return false;
    ++at;
  }
}

}  // namespace fh::importers
