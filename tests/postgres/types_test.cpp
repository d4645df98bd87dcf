// Oids and names of the well-known types agree with each other.
#include "core/postgres/types.hpp"

#include <gtest/gtest.h>

namespace holdfast::postgres {
namespace {

TEST(Types, names_and_oids_are_each_others_reverse) {
  for (std::uint32_t oid = 0; oid < 10'000; ++oid) {
    const std::string_view name = type_name({oid});
    if (name.empty()) continue;
    EXPECT_EQ(type_oid(name), Oid{oid});
    const auto array = array_type({oid});
    if (array) {
      EXPECT_EQ(element_type(*array), Oid{oid});
    }
    EXPECT_EQ(name.front() == '_', element_type({oid}).has_value()) << name;
  }
  EXPECT_EQ(type_name(k_timestamptz), "timestamptz");
  EXPECT_EQ(type_oid("_numeric"), Oid{1231});
  EXPECT_EQ(type_oid("mood"), std::nullopt);
  EXPECT_EQ(type_name({16'385}), "");
}

}  // namespace
}  // namespace holdfast::postgres
