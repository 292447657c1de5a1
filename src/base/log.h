#pragma once
// Structured logging: one message in plain words plus key/value pairs, as a JSON line or a human
// line on stderr. Never give it prompt text, completions or a Secret (it takes no Secret by
// construction). Any thread.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace fh::base {

enum class Level { Debug, Info, Warn, Error };
enum class LogFormat { Human, Json };

struct LogField {
  std::string_view key;
  std::string value;
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
};

// Call once, before other threads exist. `role` is "supervisor", "gateway", "worker" or a verb.
void log_configure(LogFormat format, Level min_level, std::string_view role);
void log(Level level, std::string_view message, std::initializer_list<LogField> fields = {});
// For lines that come with every request: dropped when nobody takes the log's lines just now (a
// full pipe), because a server must not wait for whoever reads its log.
void log_if_taken(Level level, std::string_view message, std::initializer_list<LogField> fields);

inline void log_info(std::string_view m, std::initializer_list<LogField> f = {}) {
  log(Level::Info, m, f);
}
inline void log_warn(std::string_view m, std::initializer_list<LogField> f = {}) {
  log(Level::Warn, m, f);
}
inline void log_error(std::string_view m, std::initializer_list<LogField> f = {}) {
  log(Level::Error, m, f);
}

}  // namespace fh::base
