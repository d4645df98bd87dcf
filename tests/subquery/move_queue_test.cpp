// What waits until a shape can be told of it, and what of a move outlives a restart.
#include "core/subquery/move_queue.hpp"

#include <gtest/gtest.h>

namespace holdfast::subquery {
namespace {

// A client that waits for its own transaction sees it in the move that the transaction caused, also
// where the move was under way while the server restarted.
TEST(MoveBatch, IsReadBackWithTheTransactionsThatCausedIt) {
  const MoveBatch batch{{1, {"a", "b"}, {"c"}}, {744, 750}};
  where::ByteWriter out;
  write_batch(out, batch);
  const std::string bytes = out.take();
  where::ByteReader in(bytes);
  MoveBatch found;
  ASSERT_TRUE(read_batch(in, found));
  EXPECT_EQ(found, batch);
}

TEST(MoveQueue, NamesTheTransactionsOfWhatIsTakenUntilNothingWaits) {
  MoveQueue queue(1);
  const ValueSet none;
  queue.add(0, {{"a", "b"}, {}, {744}}, none);
  queue.add(0, {{"c"}, {}, {750}}, none);
  EXPECT_EQ(queue.take_queried(2)->txids, (std::vector<std::uint64_t>{744, 750}));
  EXPECT_EQ(queue.take_queried(2)->txids, (std::vector<std::uint64_t>{744, 750}));
  EXPECT_TRUE(queue.empty());
  queue.add(0, {{"d"}, {}, {760}}, none);
  EXPECT_EQ(queue.take_queried(2)->txids, (std::vector<std::uint64_t>{760}));
}

// A value that came and went again takes its transactions along.
TEST(MoveQueue, ForgetsTheTransactionsOfWhatCameToNothing) {
  MoveQueue queue(1);
  const ValueSet none;
  queue.add(0, {{"a"}, {}, {744}}, none);
  queue.add(0, {{}, {"a"}, {745}}, none);
  EXPECT_TRUE(queue.empty());
  queue.add(0, {{"b"}, {}, {750}}, none);
  EXPECT_EQ(queue.take_queried(9)->txids, (std::vector<std::uint64_t>{750}));
}

}  // namespace
}  // namespace holdfast::subquery
