#pragma once
// What verbs print: tables, progress, errors; for people on a terminal, plain when it is a pipe,
// JSON when asked.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::cli {

// Exit codes, documented in docs/cli.md.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;        // wrong flags or configuration
inline constexpr int kUnreachable = 3;  // a server is needed and none answers
inline constexpr int kInterrupted = 130;

// Prints the error to stderr as "error: message" and "hint: ...", or as JSON; returns the exit code
// that fits.
int print_error(const base::Error& error, bool json = false);
// The same where no server is asked: a disk that fails is no server that does not answer.
int print_local_error(const base::Error& error, bool json = false);

struct Column {
  std::string title;
  bool right = false;  // numbers
};
// Aligned columns, two blanks between; nothing but the header rule when there are no rows.
std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows);

std::string human_bytes(std::uint64_t bytes);  // "98.4 MB"
std::string human_count(std::uint64_t n);      // "12,345"
std::string human_money(std::int64_t micro_usd);

// A progress line on a terminal; one line per phase otherwise.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  void update(std::string_view phase, std::uint64_t done, std::uint64_t total);

 private:
  std::string what_, phase_;
  bool terminal_;
  bool open_ = false;
  int percent_ = -1;
};

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();

}  // namespace fh::cli
