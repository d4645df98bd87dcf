// The guards of what Postgres is told and of who leads, each in a story that goes wrong without it:
// what was confirmed is not sent again, a slot may be another one, a former leader does not know
// that it is.
#include "tests/stack/shape_story.hpp"

namespace holdfast::stack::test {
namespace {

constexpr Duration k_long = std::chrono::minutes(5);

// F-28. A commit waits for a standby over a restart of the engine; then a shape is born.
std::string invisible_over_a_restart(const Guards& guards) {
  ServedItems story(guards);
  const auto waiting = story.write_unseen(Story::item(2));
  story.pass(std::chrono::seconds(30));
  story.restart(guards);
  story.show_in(std::chrono::seconds(5), waiting);
  Client born(story, "items", {"id"}, "id > 0");
  born.read();
  story.pass(std::chrono::seconds(10));
  return born.read();
}

TEST(RestartGuards, ACommitIsConfirmedOnceEverySnapshotSeesIt) {
  EXPECT_EQ(invisible_over_a_restart(Guards::all()), "1 2");
  EXPECT_EQ(invisible_over_a_restart(without(Guard::confirm_only_what_is_visible)), "1");
}

// F-11. The engine is killed while a commit has not reached the disk.
std::string killed_before_the_commit(const Guards& guards) {
  ServedItems story(guards);
  story.before("StoreProcess::commit", story.stall(k_long));
  story.write({Story::item(2)});
  story.pass(std::chrono::seconds(30));
  story.restart(guards);
  return story.later();
}

TEST(RestartGuards, ACommitIsConfirmedOnceItIsStored) {
  EXPECT_EQ(killed_before_the_commit(Guards::all()), "1 2");
  EXPECT_EQ(killed_before_the_commit(without(Guard::confirm_only_committed)), "409")
      << "the slot stands beyond the store";
}

// F-114. While no engine runs somebody makes the slot anew.
std::string slot_made_by_somebody_else(const Guards& guards) {
  ServedItems story(guards);
  story.instance_->kill();
  story.pass(std::chrono::seconds(1));
  EXPECT_TRUE(story.postgres_.drop_slot(story.engine_.stack.slot));
  story.write({Story::item(2)});
  story.postgres_.make_slot(story.engine_.stack.slot);
  story.start(guards);
  return story.later();
}

TEST(RestartGuards, ASlotBeyondWhatWasConfirmedEndsAllShapes) {
  EXPECT_EQ(slot_made_by_somebody_else(Guards::all()), "409");
  EXPECT_EQ(slot_made_by_somebody_else(without(Guard::slot_position_tells_another_slot)), "1");
}

// F-47. A leader does not hear that its sessions are gone, and that another one leads, which
// removes the shape and makes its successor.
std::string removed_by_the_next_leader(const Guards& guards) {
  ServedItems story(
      guards, [](api::EngineOptions& engine) { engine.api.deletion = api::Deletion::allowed; });
  scenarios::Instance* const former = story.instance_;
  story.stall(names::replication_client, k_long);
  story.postgres_.disconnect(1);
  story.start(guards);
  EXPECT_EQ(story.ask("/v1/shape?table=items&handle=" + story.client.handle(), "DELETE").status,
            202);
  EXPECT_EQ(Client(story, "items", {"id"}).read(), "1");
  story.instance_ = former;
  return story.client.read();
}

TEST(RestartGuards, AFormerLeaderServesNoShapeThatTheNextOneHasRemoved) {
  EXPECT_EQ(removed_by_the_next_leader(Guards::all()), "409");
  EXPECT_EQ(removed_by_the_next_leader(without(Guard::leader_looks_at_the_epoch)), "1");
}

// F-47. Another instance starts, and waits for the lock.
std::string standby_starts(const Guards& guards) {
  ServedItems story(guards);
  story.begin(guards);
  story.pass(std::chrono::seconds(5));
  story.write({Story::item(2)});
  const std::string held = story.later();
  return held + (story.events_.last.contains("store_failed") ? " after a failure" : "");
}

TEST(RestartGuards, WhoWaitsForTheLockLeavesTheStoreToItsLeader) {
  EXPECT_EQ(standby_starts(Guards::all()), "1 2");
  EXPECT_EQ(standby_starts(without(Guard::take_over_with_the_lock_only)), "1 2 after a failure");
}

}  // namespace
}  // namespace holdfast::stack::test
