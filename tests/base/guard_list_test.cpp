// The list of guards is looked up by position, and by name.
#include "core/base/guard_list.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(GuardList, HasEachGuardInTheOrderOfTheEnumeration) {
  for (std::size_t i = 0; i < k_guards.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(k_guards[i].guard), i) << k_guards[i].name;
}

TEST(GuardList, HasEachNameOnce) {
  for (const GuardInfo& info : k_guards) EXPECT_EQ(guard_by_name(info.name), info.guard);
  EXPECT_EQ(guard_by_name("no_such_guard"), std::nullopt);
}

}  // namespace
}  // namespace holdfast
