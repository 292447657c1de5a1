#pragma once
// Result<T> and Error: how every failure that a client, a file, a disk, a peer or an operator can
// cause travels. Our own mistakes use FH_CHECK and FH_BUG (base/check.h). No exception crosses a
// folder.
//
// The codes follow the canonical gRPC set, so that one table per dialect maps them to HTTP.
// `message` says what failed and on what, `hint` what to do about it; neither may hold a secret or
// prompt text.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace fh::base {

enum class Code : std::uint8_t {
  Cancelled,  // the caller went away or asked to stop
  Unknown,
  InvalidArgument,  // the request is wrong whatever the state of the system
  DeadlineExceeded,
  NotFound,
  AlreadyExists,
  PermissionDenied,    // authenticated, but not allowed
  ResourceExhausted,   // queue or quota full: retry later
  FailedPrecondition,  // right request, wrong state (e.g. another server holds the data directory)
  Aborted,
  OutOfRange,  // e.g. prompt longer than the context window
  Unimplemented,
  Internal,
  Unavailable,  // a worker died, the store failed: retry may help
  DataLoss,
  Unauthenticated,
};

std::string_view code_name(Code code);

struct [[nodiscard]] Error {
  Code code = Code::Unknown;
  std::string message;
  std::string hint;  // may be empty
  std::string
      field;  // for InvalidArgument: the request or configuration field, e.g. "messages.0.role"
  std::string reason;  // machine-readable cause, e.g. "context_length_exceeded", "model_not_found"

  // "message (hint)" for a log line or a terminal.
  std::string text() const;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, std::string message, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint), {}, {}});
}
inline std::unexpected<Error> fail_field(std::string field, std::string message,
                                         std::string reason = {}) {
  return std::unexpected(
      Error{Code::InvalidArgument, std::move(message), {}, std::move(field), std::move(reason)});
}
// The error of a failed system call: `what` and the text of `errno_value`.
Error error_from_errno(std::string_view what, int errno_value);

}  // namespace fh::base

#define FH_CONCAT_INNER(a, b) a##b
#define FH_CONCAT(a, b) FH_CONCAT_INNER(a, b)
#define FH_TRY_INNER(ret, tmp, lhs, expr)                \
  auto tmp = (expr);                                     \
  if (!tmp) ret std::unexpected(std::move(tmp).error()); \
  lhs = std::move(*tmp)
// FH_TRY(auto x, f()); returns f's error from the enclosing function.
#define FH_TRY(lhs, expr) FH_TRY_INNER(return, FH_CONCAT(fh_try_, __COUNTER__), lhs, expr)
#define FH_CO_TRY(lhs, expr) FH_TRY_INNER(co_return, FH_CONCAT(fh_try_, __COUNTER__), lhs, expr)
#define FH_TRY_VOID_INNER(ret, tmp, expr) \
  if (auto tmp = (expr); !tmp) ret std::unexpected(std::move(tmp).error())
#define FH_TRY_VOID(expr) FH_TRY_VOID_INNER(return, FH_CONCAT(fh_try_, __COUNTER__), expr)
#define FH_CO_TRY_VOID(expr) FH_TRY_VOID_INNER(co_return, FH_CONCAT(fh_try_, __COUNTER__), expr)
