// Which texts are one clause (http-api.md §7).
#include "scenarios/clause_text.hpp"

#include <gtest/gtest.h>

namespace holdfast::scenarios {
namespace {

TEST(SameClause, IgnoresSpaceParenthesesCaseAndTheSpellingOfUnequal) {
  EXPECT_TRUE(same_clause("NOT (flag)", "NOT flag"));
  EXPECT_TRUE(same_clause("not x=1", "NOT (x = 1)"));
  EXPECT_TRUE(same_clause("(v IN (1, 2)) AND flag", "v in (1,2) and (FLAG)"));
  EXPECT_TRUE(same_clause("v <> 1", "v != 1"));
  EXPECT_TRUE(same_clause("NOT (v IN (SELECT id FROM t))", "v NOT IN (SELECT id FROM t)"));
  EXPECT_TRUE(same_clause("", ""));
}

TEST(SameClause, KeepsWhatMatters) {
  EXPECT_FALSE(same_clause("(a OR b) AND c", "a OR (b AND c)"));
  EXPECT_FALSE(same_clause("v IN (1, 2)", "v IN (2, 1)"));
  EXPECT_FALSE(same_clause("v = 1", "v = '1'"));
  EXPECT_FALSE(same_clause("name = 'A'", "name = 'a'"));
  EXPECT_FALSE(same_clause("v = 1", ""));
}

}  // namespace
}  // namespace holdfast::scenarios
