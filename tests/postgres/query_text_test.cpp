// SQL text holds any name and any value without changing its meaning.
#include "core/postgres/query_text.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::postgres {
namespace {

TEST(QueryText, quotes_identifiers_whatever_they_are) {
  EXPECT_EQ(quote_identifier("items"), "\"items\"");
  EXPECT_EQ(quote_identifier("we\"ird; --"), "\"we\"\"ird; --\"");
  EXPECT_EQ(quote_relation({"a.b", "Select"}), "\"a.b\".\"Select\"");
}

TEST(QueryText, quotes_literals_under_either_reading_of_backslashes) {
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\'b"), "E'a\\\\''b'");
  EXPECT_EQ(quote_literal(""), "''");
}

TEST(QueryText, selects_columns_uncast) {
  const std::vector<std::string> columns = {"id", "a\"b"};
  EXPECT_EQ(shape_query_text({"public", "items"}, columns, ""),
            "SELECT \"id\", \"a\"\"b\" FROM \"public\".\"items\"");
  EXPECT_EQ(shape_query_text({"public", "items"}, columns, "id > 1 OR true"),
            "SELECT \"id\", \"a\"\"b\" FROM \"public\".\"items\" WHERE id > 1 OR true");
}

}  // namespace
}  // namespace holdfast::postgres
