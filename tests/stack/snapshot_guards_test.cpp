// The guards of snapshots, each in a story that goes wrong without it: commits that are streamed
// before they are visible, or lost with a crash of Postgres, and a snapshotter that dies.
#include "tests/stack/shape_story.hpp"

namespace holdfast::stack::test {
namespace {

using sim::postgres::Synchronous;

// F-30. Two commits before the snapshot: it sees the second and not the first, which the stream has
// brought when it is complete.
std::string visible_behind_an_invisible_one(const Guards& guards) {
  Story story;
  story.create_items();
  story.start(guards);
  story.before("snapshot.published", [&](const sim::StepInfo& step) {
    story.show_in(std::chrono::seconds(9), story.write_unseen(Story::item(2)));
    story.stall(std::chrono::seconds(1))(step);
    story.in(std::chrono::milliseconds(900), [&] {
      story.stall(names::replication_client, std::chrono::seconds(2));
      story.write({Story::item(3)});
    });
  });
  Client client(story, "items", {"id"});
  client.read();
  story.pass(std::chrono::seconds(20));
  return client.read();
}

TEST(SnapshotGuards, WhatASnapshotSeesIsNotGivenAgainThoughItComesBehindWhatItMisses) {
  EXPECT_EQ(visible_behind_an_invisible_one(Guards::all()), "1 2 3");
  EXPECT_EQ(visible_behind_an_invisible_one(without(Guard::snapshot_filter_by_insert_lsn)),
            oracle::property::row_legality);
}

// F-28. A commit has passed when the shape is born, and is visible only after it.
std::string streamed_before_visible(const Guards& guards) {
  Story story;
  story.create_items();
  story.start(guards);
  Client(story, "items", {"id"}, "id > 0").read();  // so the table is published
  story.show_in(std::chrono::seconds(5), story.write_unseen(Story::item(2)));
  story.pass(std::chrono::seconds(1));
  Client client(story, "items", {"id"});
  client.read();
  story.pass(std::chrono::seconds(10));
  return client.read();
}

TEST(SnapshotGuards, ASnapshotIsTakenAgainUntilItSeesWhatHadPassedBefore) {
  EXPECT_EQ(streamed_before_visible(Guards::all()), "1 2");
  EXPECT_EQ(streamed_before_visible(without(Guard::retake_snapshot_if_streamed_before_visible)),
            "1");
}

// L-5. An asynchronous commit is visible, and Postgres crashes as soon as the shape is served.
std::string seen_before_flushed(const Guards& guards) {
  Story story;
  story.create_items();
  story.start(guards);
  story.before("snapshot.published", [&](const sim::StepInfo&) {
    story.show(story.write_unseen(Story::item(2), Synchronous::off));
  });
  Client client(story, "items", {"id"});
  client.read();
  const std::size_t lost = story.postgres_.crash_and_restart(sim::postgres::SlotsAfterCrash::keep);
  story.pass(std::chrono::seconds(30));
  return client.read() + (lost > 0 ? ", of which 2 is lost" : "");
}

TEST(SnapshotGuards, NoCrashOfPostgresTakesBackWhatACompleteSnapshotSaw) {
  EXPECT_EQ(seen_before_flushed(Guards::all()), "1 2");
  EXPECT_EQ(seen_before_flushed(without(Guard::complete_snapshot_only_when_flushed)),
            "1 2, of which 2 is lost");
}

// F-39.
std::string snapshotter_dies(const Guards& guards) {
  Story story;
  story.create_items();
  story.start(guards);
  story.before("snapshot.known", Story::kill());
  return Client(story, "items", {"id"}).read();
}

TEST(SnapshotGuards, ASnapshotWhoseTakerDiedIsTakenAgain) {
  EXPECT_EQ(snapshotter_dies(Guards::all()), "1");
  EXPECT_EQ(snapshotter_dies(without(Guard::snapshotter_is_watched)), "503");
}

}  // namespace
}  // namespace holdfast::stack::test
