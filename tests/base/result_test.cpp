// Result and ASSERT: an expected failure is a value, a broken invariant ends the program.
#include "core/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace holdfast {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail("odd");
  return number / 2;
}

TEST(Result, holds_a_value_or_an_error) {
  EXPECT_EQ(*half(8), 4);
  EXPECT_FALSE(half(7).ok());
  EXPECT_EQ(half(7).error().message, "odd");
}

TEST(Result, an_error_travels_on_through_another_type) {
  const auto outer = [](int number) -> Result<std::string> {
    const Result<int> inner = half(number);
    if (!inner) return inner.failure();
    return std::to_string(*inner);
  };
  EXPECT_EQ(*outer(4), "2");
  EXPECT_EQ(outer(3).error().message, "odd");
}

TEST(Result, value_and_error_may_be_of_one_type) {
  const Result<std::string, std::string> good(std::string("value"));
  const Result<std::string, std::string> bad(Failure<std::string>{"error"});
  EXPECT_TRUE(good.ok());
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), "error");
}

TEST(Result, may_hold_what_only_moves) {
  Result<std::unique_ptr<int>> made(std::make_unique<int>(3));
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 3);
}

TEST(Result, void_is_ok_unless_it_failed) {
  EXPECT_TRUE(Result<void>().ok());
  EXPECT_FALSE(Result<void>(fail("no")).ok());
}

TEST(ResultDeathTest, asking_the_wrong_half_ends_the_program) {
  EXPECT_DEATH(static_cast<void>(half(7).value()), "successful Result");
  EXPECT_DEATH(static_cast<void>(half(8).error()), "failed Result");
}

TEST(AssertDeathTest, the_report_names_place_sentence_and_condition_and_reaches_the_observer) {
  EXPECT_DEATH(
      {
        set_assert_observer([](std::string_view report) {
          const std::string seen = "observed " + std::string(report);
          fputs(seen.c_str(), stderr);
        });
        ASSERT(1 + 1 == 3, "arithmetic is broken");
      },
      "observed .*result_test.cpp:[0-9]+: assertion failed: arithmetic is broken \\[1 \\+ 1 == "
      "3\\]");
}

}  // namespace
}  // namespace holdfast
