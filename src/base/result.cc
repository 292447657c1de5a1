#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace fh::base {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::Cancelled: return "cancelled";
    case Code::Unknown: return "unknown";
    case Code::InvalidArgument: return "invalid_argument";
    case Code::DeadlineExceeded: return "deadline_exceeded";
    case Code::NotFound: return "not_found";
    case Code::AlreadyExists: return "already_exists";
    case Code::PermissionDenied: return "permission_denied";
    case Code::ResourceExhausted: return "resource_exhausted";
    case Code::FailedPrecondition: return "failed_precondition";
    case Code::Aborted: return "aborted";
    case Code::OutOfRange: return "out_of_range";
    case Code::Unimplemented: return "unimplemented";
    case Code::Internal: return "internal";
    case Code::Unavailable: return "unavailable";
    case Code::DataLoss: return "data_loss";
    case Code::Unauthenticated: return "unauthenticated";
  }
  return "unknown";
}

std::string Error::text() const {
  if (hint.empty()) return message;
  return message + " (" + hint + ")";
}

namespace {

// What a person can do about the failures that a machine's owner causes and mends.
std::string_view hint_of(int errno_value) {
  switch (errno_value) {
    case ENOSPC: return "the disk is full: free some space on it";
    case EDQUOT: return "this user's share of the disk is used up: free some space";
    case EROFS: return "this file system is read-only: choose a place that can be written";
    case EACCES:
    case EPERM: return "this user may not: check who owns it, or choose another place";
    case EMFILE: return "raise the limit of open files (ulimit -n)";
    default: return {};
  }
}

}  // namespace

Error error_from_errno(std::string_view what, int errno_value) {
  Code code = Code::Unavailable;
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR: code = Code::NotFound; break;
    case EEXIST: code = Code::AlreadyExists; break;
    case EINVAL:
    case ENAMETOOLONG: code = Code::InvalidArgument; break;
    case EADDRINUSE:
    case EBUSY:
    case EISDIR:
    case ENOTEMPTY: code = Code::FailedPrecondition; break;
    case ETIMEDOUT: code = Code::DeadlineExceeded; break;
    case ECANCELED: code = Code::Cancelled; break;
    case ENOSYS:
    case EOPNOTSUPP: code = Code::Unimplemented; break;
    case EACCES:
    case EROFS:
    case EPERM: code = Code::PermissionDenied; break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM: code = Code::ResourceExhausted; break;
    default: break;
  }
  return Error{code,
               std::string(what) + ": " + std::strerror(errno_value),
               std::string(hint_of(errno_value)),
               {},
               {}};
}

}  // namespace fh::base
