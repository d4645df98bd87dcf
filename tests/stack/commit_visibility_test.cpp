// Which transactions of the stream a snapshot may miss: what is remembered, what may be forgotten,
// and which snapshots come too early (F-28).
#include "core/stack/log/commit_visibility.hpp"

#include <gtest/gtest.h>

namespace holdfast::stack {
namespace {

using postgres::FullXid;
using postgres::Lsn;
using postgres::Snapshot;
using postgres::Xid;

Snapshot snapshot(std::uint64_t xmax, std::vector<FullXid> xip = {}) {
  Snapshot made;
  made.xmax = {xmax};
  made.xmin = xip.empty() ? made.xmax : xip.front();
  made.xip = std::move(xip);
  return made;
}

TEST(CommitVisibility, AsksForNothingWhileNothingPassed) {
  CommitVisibility visibility;
  EXPECT_EQ(visibility.first_unseen(), std::nullopt);
  EXPECT_TRUE(visibility.covered_by(snapshot(3), 1));
  EXPECT_FALSE(visibility.has_learned());
}

TEST(CommitVisibility, RefusesASnapshotThatMissesWhatPassedBeforeTheShape) {
  CommitVisibility visibility;
  visibility.passed(Xid{10}, Lsn{100}, 1);
  EXPECT_FALSE(visibility.covered_by(snapshot(12, {{10}}), 2));
  EXPECT_FALSE(visibility.covered_by(snapshot(10), 2));
  EXPECT_TRUE(visibility.covered_by(snapshot(11), 2));
  EXPECT_TRUE(visibility.covered_by(snapshot(10), 1)) << "the shape itself is given it";
}

TEST(CommitVisibility, HoldsBackAtTheFirstThatASnapshotMayMiss) {
  CommitVisibility visibility;
  visibility.passed(Xid{10}, Lsn{100}, 1);
  visibility.passed(Xid{12}, Lsn{200}, 2);
  visibility.passed(Xid{11}, Lsn{300}, 3);
  EXPECT_EQ(visibility.first_unseen(), Lsn{100});
  visibility.learned(snapshot(13, {{12}}));
  EXPECT_EQ(visibility.first_unseen(), Lsn{200}) << "later ones are visible already";
  EXPECT_EQ(visibility.unseen(), 1U);
  visibility.learned(snapshot(13));
  EXPECT_EQ(visibility.first_unseen(), std::nullopt);
}

TEST(CommitVisibility, HoldsBackNothingForWhatWasSeenAndIsReplayed) {
  CommitVisibility visibility;
  for (unsigned session = 0; session < 2; ++session) {
    visibility.passed(Xid{10}, Lsn{100}, 2 * session + 1);
    visibility.passed(Xid{12}, Lsn{200}, 2 * session + 2);
    if (session == 0) visibility.learned(snapshot(13, {{12}}));
  }
  EXPECT_EQ(visibility.first_unseen(), Lsn{200});
}

// It was logged before the slot and shown after it: the stream never brings it.
TEST(CommitVisibility, RefusesASnapshotThatMissesWhoRanWhenTheSlotBegan) {
  CommitVisibility visibility;
  visibility.slot_begins(snapshot(12, {{10}}));
  EXPECT_FALSE(visibility.covered_by(snapshot(14, {{10}}), 1));
  EXPECT_TRUE(visibility.covered_by(snapshot(14, {{13}}), 1)) << "who began later is streamed";
  EXPECT_EQ(visibility.first_unseen(), std::nullopt) << "nothing of it is to be confirmed";
  visibility.learned(snapshot(15, {{14}}));
  EXPECT_TRUE(visibility.covered_by(snapshot(15, {{14}}), 1));
}

// Taken before the learned one, told after it: what it misses is no longer remembered one by one.
TEST(CommitVisibility, RefusesASnapshotOlderThanWhatWasForgotten) {
  CommitVisibility visibility;
  visibility.passed(Xid{10}, Lsn{100}, 1);
  visibility.learned(snapshot(12, {{11}}));
  EXPECT_FALSE(visibility.covered_by(snapshot(12, {{10}, {11}}), 2));
  EXPECT_FALSE(visibility.covered_by(snapshot(11, {{10}}), 2));
  EXPECT_TRUE(visibility.covered_by(snapshot(12, {{11}}), 2));
  EXPECT_TRUE(visibility.covered_by(snapshot(14, {{11}, {13}}), 2));
}

// A crash of the server takes back ids that no record on disk knows.
TEST(CommitVisibility, LearnsAnewWhenIdsGoBack) {
  CommitVisibility visibility;
  visibility.learned(snapshot(20));
  EXPECT_FALSE(visibility.covered_by(snapshot(15), 1));
  visibility.learned(snapshot(15));
  EXPECT_TRUE(visibility.covered_by(snapshot(15), 1));
}

TEST(CommitVisibility, ComparesIdsAcrossEpochs) {
  constexpr std::uint64_t k_epoch = 1ULL << 32;
  CommitVisibility visibility;
  visibility.passed(Xid{4'294'967'290U}, Lsn{100}, 1);
  visibility.passed(Xid{5}, Lsn{200}, 1);
  visibility.learned(snapshot(k_epoch + 6, {{4'294'967'290U}}));
  EXPECT_EQ(visibility.first_unseen(), Lsn{100});
}

}  // namespace
}  // namespace holdfast::stack
