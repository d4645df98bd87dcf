// Which transactions of the stream a snapshot sees. The stream says ids of 32 bits, a snapshot of
// 64: at an epoch's edge a wrong guess makes a row appear twice or never (F-28, F-29).
#include <gtest/gtest.h>

#include "core/postgres/lsn.hpp"

namespace holdfast::postgres {
namespace {

constexpr std::uint64_t k_epoch = 1ULL << 32;

TEST(Snapshot, SeesWhatIsBelowXminAndNothingFromXmax) {
  const Snapshot snapshot{{100}, {110}, {{100}, {105}}, {}};
  EXPECT_TRUE(snapshot.sees({99}));
  EXPECT_FALSE(snapshot.sees({100}));
  EXPECT_TRUE(snapshot.sees({101}));
  EXPECT_FALSE(snapshot.sees({105}));
  EXPECT_TRUE(snapshot.sees({109}));
  EXPECT_FALSE(snapshot.sees({110}));
  EXPECT_FALSE(snapshot.sees({111}));
}

TEST(Snapshot, IncludesWhatSeesNoMore) {
  const Snapshot snapshot{{100}, {110}, {{100}, {105}}, {}};
  EXPECT_TRUE(snapshot.includes(snapshot));
  EXPECT_TRUE(snapshot.includes({{100}, {106}, {{100}, {105}}, {}}));
  EXPECT_FALSE(snapshot.includes({{100}, {106}, {{100}}, {}})) << "105 is seen there";
  EXPECT_FALSE(snapshot.includes({{111}, {111}, {}, {}}));
  EXPECT_TRUE((Snapshot{{112}, {115}, {{112}}, {}}.includes(snapshot)));
  EXPECT_TRUE((Snapshot{{100}, {115}, {{100}, {112}}, {}}.includes(snapshot)));
}

TEST(Snapshot, AnIdBeforeTheWrapBelongsToTheEpochBefore) {
  const Snapshot snapshot{{k_epoch - 2}, {k_epoch + 10}, {{k_epoch - 2}, {k_epoch + 3}}, {}};
  EXPECT_EQ(snapshot.extend({0xffffffff}), FullXid{k_epoch - 1});
  EXPECT_TRUE(snapshot.sees({0xffffffff}));
  EXPECT_FALSE(snapshot.sees({0xfffffffe})) << "in progress, of the epoch before";
  EXPECT_TRUE(snapshot.sees({0xfffffffd}));
  EXPECT_TRUE(snapshot.sees({5}));
  EXPECT_FALSE(snapshot.sees({3}));
}

TEST(Snapshot, AnIdAfterTheWrapIsNotSeenByASnapshotBeforeIt) {
  const Snapshot snapshot{{k_epoch - 5}, {k_epoch - 1}, {}, {}};
  EXPECT_EQ(snapshot.extend({3}), FullXid{k_epoch + 3});
  EXPECT_FALSE(snapshot.sees({3}));
  EXPECT_FALSE(snapshot.sees({0xffffffff}));
  EXPECT_TRUE(snapshot.sees({0xfffffffe}));
}

TEST(Snapshot, ExtensionPicksTheNearestEpochOnBothSides) {
  const Snapshot snapshot{{5 * k_epoch}, {5 * k_epoch + 7}, {}, {}};
  EXPECT_EQ(snapshot.extend({7}), FullXid{5 * k_epoch + 7});
  EXPECT_EQ(snapshot.extend({0x80000006}), FullXid{5 * k_epoch + 0x80000006ULL});
  EXPECT_EQ(snapshot.extend({0x80000008}), FullXid{4 * k_epoch + 0x80000008ULL});
}

TEST(Snapshot, TheLastEpochIsNoEdge) {
  const Snapshot snapshot{{~0ULL - 3}, {~0ULL - 1}, {}, {}};
  EXPECT_TRUE(snapshot.sees({0xfffffffb}));
  EXPECT_FALSE(snapshot.sees({0xfffffffe}));
}

}  // namespace
}  // namespace holdfast::postgres
