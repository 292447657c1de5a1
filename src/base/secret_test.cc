// Secrets: no copy survives a move or a death, also for strings short enough to live inside the
// object.
#include "base/secret.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <type_traits>

namespace fh::base {
namespace {

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);

bool holds(const void* memory, std::size_t size, const char* text) {
  return memmem(memory, size, text, std::strlen(text)) != nullptr;
}

TEST(Secret, MovingLeavesNothingBehind) {
  Secret from(std::string("tiny-key"));  // inside the string object
  const Secret to(std::move(from));
  EXPECT_EQ(to.reveal(), "tiny-key");
  EXPECT_FALSE(holds(&from, sizeof from, "tiny-key"));

  Secret assigned;
  Secret source(std::string("next-key"));
  assigned = std::move(source);
  EXPECT_EQ(assigned.reveal(), "next-key");
  EXPECT_FALSE(holds(&source, sizeof source, "next-key"));
}

TEST(Secret, DestructionWipes) {
  alignas(Secret) unsigned char memory[sizeof(Secret)] = {};
  auto* secret = std::construct_at(reinterpret_cast<Secret*>(memory), std::string("gone-key"));
  EXPECT_TRUE(holds(memory, sizeof memory, "gone-key"));
  std::destroy_at(secret);
  EXPECT_FALSE(holds(memory, sizeof memory, "gone-key"));
}

TEST(Secret, EmptyIsEmpty) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_FALSE(Secret(std::string("x")).empty());
}

}  // namespace
}  // namespace fh::base
