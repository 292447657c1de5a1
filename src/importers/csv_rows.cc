// The search for a row's end is apart from taking it to pieces: the search keeps its state between
// pieces, so that a long quoted field is looked at once however small the pieces are, and most rows
// (no quote up to the line break) are found by two memchr and split by one per field.

#include "importers/csv_rows.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace fh::importers {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

std::size_t find_byte(std::string_view text, char c, std::size_t from, std::size_t to) {
  if (from >= to) return kNone;
  const void* found = std::memchr(text.data() + from, c, to - from);
  return found == nullptr ? kNone
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Takes one quoted field that begins at `at` (on its quote); `at` ends behind its closing quote.
// The text has been scanned before, so that the quote is known to close.
std::string_view take_quoted(std::string_view text, std::size_t& at, std::string& buffer) {
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

void CsvRows::begin(std::string_view piece) {
  if (held_.empty()) {
    text_ = piece;
  } else {
    held_.append(piece);
    text_ = held_;
  }
  at_ = 0;
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
}

// Passes over the byte order mark and settles the delimiter, once the first line is here.
bool CsvRows::start(bool last) {
  const std::size_t line_end = find_byte(text_, '\n', 0, text_.size());
  if (line_end == kNone && !last && text_.size() <= limits_.row_bytes_max) return false;
  if (text_.starts_with("\xEF\xBB\xBF")) at_ += 3;
  scanned_ = at_;
  at_start_ = false;
  if (delimiter_ == '\0') choose_delimiter(text_.substr(0, line_end));
  return true;
}

void CsvRows::choose_delimiter(std::string_view first) {
  std::size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (const char c : first) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    commas += c == ',' ? 1 : 0;
    semicolons += c == ';' ? 1 : 0;
    tabs += c == '\t' ? 1 : 0;
  }
  delimiter_ = ',';
  if (commas != 0) return;
  if (semicolons != 0 || tabs != 0) delimiter_ = semicolons >= tabs ? ';' : '\t';
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
      fields.push_back(take_quoted(text, at, buffer));
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
