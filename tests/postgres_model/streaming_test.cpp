// What the walsender side of the model gives: order, contents, positions, restarts.
#include "tests/postgres_model/fixture.hpp"

namespace holdfast::test {
namespace {

using Lines = std::vector<std::string>;

TEST_F(ModelTest, StreamsACommittedTransactionWithFullOldRows) {
  publish_items();
  auto session = stream();
  const CommitResult commit = run({insert(1, "a"), update(1, "b"), erase(1)});
  EXPECT_EQ(receive(*session).lines,
            (Lines{"B", "I public.items N('1','a')", "U public.items O('1','a') N('1','b')",
                   "D public.items O('1','b')", "C"}));
  EXPECT_EQ(teller.final_lsns, (std::vector{commit.commit_lsn.value}));
  EXPECT_EQ(teller.end_lsns, (std::vector{commit.end_lsn.value}));
  EXPECT_EQ(teller.relations, (Lines{"public.items f id*:23/-1 name*:25/-1"}));
}

TEST_F(ModelTest, AnsweringNothingMeansTheDeadlinePassed) {
  publish_items();
  auto session = stream();
  receive(*session);
  const auto messages = session->receive(now + std::chrono::seconds(1));
  ASSERT_TRUE(messages.ok());
  EXPECT_TRUE(messages->empty());
}

}  // namespace
}  // namespace holdfast::test
