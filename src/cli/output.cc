#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "codec/json.h"
#include "domain/money.h"

namespace fh::cli {
namespace {

// Columns that a UTF-8 text takes; good enough for names and numbers.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void append_cell(std::string& line, std::string_view text, std::size_t width, bool right) {
  const std::size_t pad = width - std::min(width, width_of(text));
  if (right) line.append(pad, ' ');
  line += text;
  if (!right) line.append(pad, ' ');
}

int exit_code_of(const base::Error& error) {
  switch (error.code) {
    case base::Code::InvalidArgument: return kUsage;
    case base::Code::Unavailable: return kUnreachable;
    case base::Code::Cancelled: return kInterrupted;
    default: return kFailed;
  }
}

}  // namespace

bool stdin_is_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}
bool stdout_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}
bool stderr_is_terminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

int print_error(const base::Error& error, bool json) {
  if (json) {
    codec::json::Writer w;
    w.object().key("error").object().member("code", base::code_name(error.code));
    w.member("message", error.message).member("hint", error.hint).end_object().end_object();
    fmt::print("{}\n", w.str());
  } else {
    fmt::print(stderr, "error: {}\n", error.message);
    if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", error.hint);
  }
  return exit_code_of(error);
}

int print_local_error(const base::Error& error, bool json) {
  const int code = print_error(error, json);
  return code == kUnreachable ? kFailed : code;
}

std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t width = width_of(columns[i].title);
    for (const auto& row : rows) width = std::max(width, width_of(row.at(i)));
    widths.push_back(width);
  }
  std::string out;
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) text += "  ";
      append_cell(text, cell_of(i), widths[i], columns[i].right);
    }
    while (text.ends_with(' ')) text.pop_back();
    out += text + "\n";
  };
  line([&](std::size_t i) -> std::string_view { return columns[i].title; });
  for (const auto& row : rows) {
    line([&](std::size_t i) -> std::string_view { return row[i]; });
  }
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_count(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string human_money(std::int64_t micro_usd) {
  return domain::display_usd({micro_usd});
}

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(stderr_is_terminal()) {}

Progress::~Progress() {
  if (open_) fmt::print(stderr, "\n");
}

void Progress::update(std::string_view phase, std::uint64_t done, std::uint64_t total) {
  const int percent = total == 0 ? 0 : static_cast<int>(done * 100 / total);
  if (phase == phase_ && percent == percent_) return;
  const bool new_phase = phase != phase_;
  phase_ = phase;
  percent_ = percent;
  if (terminal_) {
    fmt::print(stderr, "\r\x1b[K{}: {} {}%", what_, phase_, percent);
    open_ = true;
  } else if (new_phase) {
    fmt::print(stderr, "{}: {}\n", what_, phase_);
  }
}

}  // namespace fh::cli
