// Comma-separated values.

#include "codec/csv.h"

#include <utility>

namespace fh::codec {

void CsvWriter::separate() {
  if (row_started_) out_.push_back(',');
  row_started_ = true;
}

CsvWriter& CsvWriter::text(std::string_view field) {
  separate();
  static constexpr std::string_view kRun = "=+-@\t\r";
  const bool guard = formulas_ == Formulas::Guarded && !field.empty() &&
                     kRun.find(field.front()) != std::string_view::npos;
  const bool quote = field.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quote) out_.push_back('"');
  if (guard) out_.push_back('\'');
  for (const char c : field) {
    if (c == '"') out_.push_back('"');
    out_.push_back(c);
  }
  if (quote) out_.push_back('"');
  return *this;
}

CsvWriter& CsvWriter::number(std::string_view decimal) {
  separate();
  out_.append(decimal);
  return *this;
}

CsvWriter& CsvWriter::end_row() {
  out_.append("\r\n");
  row_started_ = false;
  return *this;
}

std::string CsvWriter::take() {
  row_started_ = false;
  return std::exchange(out_, {});
}

CsvReader::CsvReader(std::string_view text, const CsvLimits& limits)
    : text_(text), limits_(limits) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
}

std::unexpected<base::Error> CsvReader::invalid(std::string_view what) const {
  std::string message = "invalid CSV in line " + std::to_string(line_) + ": ";
  message.append(what);
  return base::fail(base::Code::InvalidArgument, std::move(message));
}

bool CsvReader::at_line_break() const {
  return text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n");
}

void CsvReader::skip_line_break() {
  at_ += text_[at_] == '\n' ? 1 : 2;
  ++line_;
}

base::Result<std::string> CsvReader::quoted_field() {
  const std::size_t opened_in = line_;
  std::string field;
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '"') {
      if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        ++at_;
      } else {
        ++at_;
        return field;
      }
    }
    if (c == '\n') ++line_;
    if (field.size() == limits_.row_bytes_max) return invalid("the row is too long");
    field.push_back(c);
  }
  line_ = opened_in;
  return invalid("a quoted field is not closed");
}

base::Result<bool> CsvReader::next(std::vector<std::string>& fields) {
  fields.clear();
  while (at_ < text_.size() && at_line_break()) skip_line_break();
  if (at_ >= text_.size()) return false;
  row_line_ = line_;
  const std::size_t row_from = at_;
  while (true) {
    if (fields.size() == limits_.fields_max) return invalid("the row has too many fields");
    if (at_ < text_.size() && text_[at_] == '"') {
      FH_TRY(std::string field, quoted_field());
      fields.push_back(std::move(field));
    } else {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] != limits_.delimiter && !at_line_break()) {
        if (text_[at_] == '"') return invalid("a quote inside an unquoted field");
        ++at_;
      }
      fields.emplace_back(text_.substr(from, at_ - from));
    }
    if (at_ - row_from > limits_.row_bytes_max) return invalid("the row is too long");
    if (at_ >= text_.size()) return true;
    if (at_line_break()) {
      skip_line_break();
      return true;
    }
    if (text_[at_] != limits_.delimiter) return invalid("text after a quoted field");
    ++at_;
  }
}

}  // namespace fh::codec
