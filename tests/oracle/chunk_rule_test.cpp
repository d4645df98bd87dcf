// The oracle counts the bytes of a log's items by itself: a chunk that ends too early, or goes on
// too long, is objected to.
#include "oracle/checks/chunk_rule.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;
using protocol::ShapeHandle;

const ShapeHandle k_handle{"1-1"};
const LogOffset k_start = LogOffset::snapshot_end();

std::vector<Message> items(std::initializer_list<std::uint64_t> sizes) {
  std::vector<Message> messages;
  for (const std::uint64_t size : sizes) messages.emplace_back().bytes = size;
  return messages;
}

class ChunkRules : public ::testing::Test {
 protected:
  ChunkRules() { rule.set_threshold(100); }
  void answer(const LogOffset& from, const LogOffset& to, bool up_to_date,
              const std::vector<Message>& messages) {
    rule.answer(k_handle, from, to, up_to_date, messages, found.sink());
  }
  ChunkRule rule;
  Objections found;
};

TEST_F(ChunkRules, AChunkEndsAfterTheItemThatReachesTheSize) {
  answer(k_start, LogOffset::at(9, 4), false, items({60, 30, 10}));
  answer(LogOffset::at(9, 4), LogOffset::at(9, 6), false, items({500}));
  answer(LogOffset::at(9, 6), LogOffset::at(9, 8), true, items({60, 39}));
  EXPECT_TRUE(found.properties().empty());
}

TEST_F(ChunkRules, AChunkThatEndsTooEarlyIsObjectedTo) {
  answer(k_start, LogOffset::at(9, 4), false, items({60, 30}));
  EXPECT_EQ(found.properties(), Properties{property::chunk_rule});
}

TEST_F(ChunkRules, AChunkThatGoesOnIsObjectedTo) {
  answer(k_start, LogOffset::at(9, 4), false, items({60, 40, 10}));
  answer(k_start, LogOffset::at(9, 9), true, items({60, 40, 10}));
  EXPECT_EQ(found.properties(), (Properties{property::chunk_rule, property::chunk_rule}));
}

TEST_F(ChunkRules, WhereAnAnswerBeginsInsideAChunkNothingIsKnown) {
  answer(LogOffset::at(5, 0), LogOffset::at(9, 4), true, items({60, 40, 10}));
  EXPECT_TRUE(found.properties().empty());
}

TEST_F(ChunkRules, WithoutAThresholdNothingIsKnown) {
  rule.set_threshold(0);
  answer(k_start, LogOffset::at(9, 4), false, items({60}));
  EXPECT_TRUE(found.properties().empty());
}

}  // namespace
}  // namespace holdfast::oracle::test
