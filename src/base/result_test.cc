// Errors: texts, the mapping of system errors, and what FH_TRY does with owners and with names.
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace fh::base {
namespace {

Result<std::unique_ptr<int>> boxed(int value) {
  if (value < 0) return fail(Code::OutOfRange, "negative", "give a positive number");
  return std::make_unique<int>(value);
}

Result<int> sum(int a, int b) {
  FH_TRY(const auto first, boxed(a));
  FH_TRY(const auto second, boxed(b));
  return *first + *second;
}

Status both(int a, int b) {
  FH_TRY_VOID(sum(a, b));
  FH_TRY_VOID(sum(b, a));
  return {};
}

TEST(Result, TryPassesValuesAndErrorsOn) {
  EXPECT_EQ(sum(2, 3).value(), 5);
  EXPECT_TRUE(both(1, 2));
  const auto failed = sum(1, -1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::OutOfRange);
  EXPECT_EQ(failed.error().text(), "negative (give a positive number)");
  EXPECT_FALSE(both(-1, 1));
}

TEST(Result, FieldErrorsNameTheField) {
  const Status status = fail_field("messages.0.role", "no such role", "bad_role");
  EXPECT_EQ(status.error().code, Code::InvalidArgument);
  EXPECT_EQ(status.error().field, "messages.0.role");
  EXPECT_EQ(status.error().reason, "bad_role");
  EXPECT_EQ(status.error().text(), "no such role");
}

TEST(Result, SystemErrorsGetTheFittingCode) {
  EXPECT_EQ(error_from_errno("x", ENOENT).code, Code::NotFound);
  EXPECT_EQ(error_from_errno("x", EACCES).code, Code::PermissionDenied);
  EXPECT_EQ(error_from_errno("x", EROFS).code, Code::PermissionDenied);
  EXPECT_EQ(error_from_errno("x", ENOSPC).code, Code::ResourceExhausted);
  EXPECT_EQ(error_from_errno("x", EADDRINUSE).code, Code::FailedPrecondition);
  EXPECT_EQ(error_from_errno("x", EIO).code, Code::Unavailable);
  EXPECT_EQ(error_from_errno("cannot open a", ENOENT).message,
            "cannot open a: No such file or directory");
}

TEST(Result, EveryCodeHasItsName) {
  for (int i = 0; i <= static_cast<int>(Code::Unauthenticated); ++i) {
    const auto code = static_cast<Code>(i);
    EXPECT_EQ(code_name(code) == "unknown", code == Code::Unknown) << i;
  }
}

}  // namespace
}  // namespace fh::base
