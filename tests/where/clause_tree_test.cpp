// libpg_query recurses over its tree without looking at the stack, and clauses come from strangers:
// what is let through must fit the 512 KiB of a worker, and nothing else may reach the parser.
#include "core/where/clause_tree.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>

#include "core/base/hash.hpp"
#include "core/base/sanitizers.hpp"
#include "tests/where/sample_relation.hpp"

namespace holdfast::where {
namespace {

#ifdef HOLDFAST_ASAN
constexpr std::size_t k_stack_bytes = 2048 * 1024;  // its frames are several times as large
#else
constexpr std::size_t k_stack_bytes = 512 * 1024;
#endif

void* run(void* function) {
  (*static_cast<std::function<void()>*>(function))();
  return nullptr;
}

void on_worker_stack(std::function<void()> function) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, k_stack_bytes), 0);
  pthread_t thread{};
  ASSERT_EQ(pthread_create(&thread, &attributes, &run, &function), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::string repeated(const std::string& part, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += part;
  return out;
}

unsigned depth(const std::string& clause) {
  return nesting_depth("SELECT 1 WHERE " + clause);
}

/// Ways to nest a clause `n` levels deep.
std::vector<std::string> nested(std::size_t n) {
  return {repeated("(", n) + "b" + repeated(")", n),
          repeated("NOT ", n) + "b",
          repeated("NOT (", n) + "b" + repeated(")", n),
          repeated("(b AND ", n) + "b" + repeated(")", n),
          repeated("(b OR (b AND ", n / 2) + "b" + repeated("))", n / 2),
          "b" + repeated(" IS TRUE", n),
          repeated("(", n) + "b" + repeated(" IS NULL)", n),
          "i4" + repeated("::int8", n) + " = 1",
          repeated("- ", n) + "i4 = 1",
          "i4 = 1" + repeated(" + 1", n),
          repeated("f(", n) + "1" + repeated(")", n) + " = 1",
          repeated("CASE WHEN ", n) + "b" + repeated(" THEN b END", n),
          repeated("CASE WHEN b AND ", n) + "b" + repeated(" THEN b END", n),
          "i4 BETWEEN 1 AND 2" + repeated(" + 1", n),
          "t = 'a'" + repeated(" COLLATE \"C\"", n),
          "b" + repeated(" UNION SELECT 1 WHERE b AND b", n),
          repeated("EXISTS (SELECT 1 WHERE ", n) + "b" + repeated(")", n),
          "i4 = " + repeated("ARRAY[", n) + "1" + repeated("]", n)};
}

TEST(NestingDepth, BoundsEveryWayToNest) {
  for (const std::string& clause : nested(50)) {
    EXPECT_GE(depth(clause), 50U) << clause.substr(0, 100);
  }
}

TEST(NestingDepth, LeavesLongFlatClausesAlone) {
  EXPECT_LE(depth("value = 1" + repeated(" OR value = 1", 1000)), 10U);
  EXPECT_LE(depth("(i4 = 1)" + repeated(" AND (i4 = 1 OR t = 'x' AND b)", 1000)), 10U);
  EXPECT_LE(depth("i4 IN (1" + repeated(", 2", 5000) + ")"), 10U);
  EXPECT_LE(depth("i4 BETWEEN 1 AND 2" + repeated(" AND i4 NOT BETWEEN 1 AND 2", 500)), 12U);
  EXPECT_LE(depth("t = '" + repeated("(((", 100) + "' -- " + repeated("(", 100)), 5U);
  EXPECT_LE(depth("\"" + repeated("(", 60) + "\" = $1"), 5U);
}

TEST(ParsedClause, FitsAWorkersStackAtTheDeepestNestingItAccepts) {
  on_worker_stack([] {
    // Some ways cost two levels a step, so the deepest accepted clause is looked for.
    for (std::size_t way = 0; way < nested(1).size(); ++way) {
      std::size_t deepest = 0;
      for (std::size_t n = 2; n <= ParsedClause::k_max_depth; n += 2)
        if (depth(nested(n)[way]) <= ParsedClause::k_max_depth) deepest = n;
      EXPECT_GE(deepest, 20U) << nested(3)[way];
      const auto condition = Condition::compile(nested(deepest)[way], {}, test::k_relation());
      if (condition.ok()) (void)condition->evaluate(test::row({{"b", "t"}, {"i4", "1"}}));
    }
  });
}

TEST(ParsedClause, RefusesDeeperNestingWithASentence) {
  on_worker_stack([] {
    for (const std::size_t n : {200U, 3000U})
      for (const std::string& clause : nested(n)) {
        const std::string message = test::error_of(clause);
        EXPECT_TRUE(message == "the clause is nested too deeply: more than 100 levels" ||
                    message.starts_with("cannot parse query: query size"))
            << clause.substr(0, 60) << ": " << message;
      }
  });
}

TEST(ParsedClause, AnswersAnyTextWithAClauseOrASentence) {
  constexpr const char* k_words[] = {
      "i4",       "t",    "b",      "(",    ")",     "=",       "AND",   "OR",   "NOT",   "'a'",
      "1",        ",",    "IN",     "::",   "int4",  "IS",      "NULL",  "LIKE", "$1",    "BETWEEN",
      "DISTINCT", "FROM", "SELECT", "CASE", "WHEN",  "--",      "/*",    "\"",   "'",     "E'\\",
      ";",        "\xff", "[",      "]",    "ARRAY", "COLLATE", "\"C\"", "TRUE", "ORDER", "LIMIT"};
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    std::string clause;
    for (std::uint64_t i = 0; i < 1 + combine64(seed, 0) % 12; ++i) {
      clause += k_words[combine64(seed, i + 1) % std::size(k_words)];
      clause += ' ';
    }
    const auto condition = Condition::compile(clause, {{1, "1"}}, test::k_relation());
    if (condition.ok())
      (void)condition->evaluate(test::row({{"b", "t"}, {"i4", "1"}, {"t", "a"}}));
    else
      EXPECT_FALSE(condition.error().message.empty());
  }
}

}  // namespace
}  // namespace holdfast::where
