// The guards of the way from the stream to the store and to readers, each in a story that goes
// wrong without it: who is slow, dies or is removed holds nothing up, shows nothing early and
// loses nothing.
#include "tests/stack/shape_story.hpp"

namespace holdfast::stack::test {
namespace {

constexpr Duration k_long = std::chrono::minutes(5);

// F-36. The commit of row 2 takes its time.
std::string store_is_slow(const Guards& guards) {
  ServedItems story(guards);
  story.before("StoreProcess::commit", story.stall(k_long));
  story.write({Story::item(2)});
  story.pass(std::chrono::milliseconds(20));
  return story.client.read_with_claim();
}

TEST(StreamGuards, ReadersAreToldWhatTheStoreHasAndNoMore) {
  EXPECT_EQ(store_is_slow(Guards::all()), "1");
  EXPECT_EQ(store_is_slow(without(Guard::visible_only_after_commit)),
            "1, and claims to be up to date");
}

// F-06.
std::string consumer_dies_of_its_input(const Guards& guards) {
  ServedItems story(guards);
  story.before("Consumer::deliver", Story::kill());
  story.write({Story::item(2)});
  return story.later();
}

TEST(StreamGuards, AConsumerThatDiedGetsItsInputAgain) {
  EXPECT_EQ(consumer_dies_of_its_input(Guards::all()), "1 2");
  EXPECT_EQ(consumer_dies_of_its_input(without(Guard::redeliver_to_restarted_consumer)), "1");
}

// F-55. Whoever removes shapes is slow; then the engine is killed.
std::string truncated_before_a_kill(const Guards& guards) {
  ServedItems story(guards);
  story.stall(names::shape_cleaner, k_long);
  story.write({{sim::postgres::StatementKind::truncate, {"public", "items"}, {}, {}, {}}});
  story.pass(std::chrono::seconds(30));
  story.restart(guards);
  return story.client.read();
}

TEST(StreamGuards, ATruncatedShapeIsGoneFromTheStoreBeforeItsTransactionIsConfirmed) {
  EXPECT_EQ(truncated_before_a_kill(Guards::all()), "409");
  EXPECT_EQ(truncated_before_a_kill(without(Guard::removal_before_truncate_is_applied)), "1");
}

// F-16. The stream breaks off in the middle of a transaction.
std::string read_within_a_transaction(const Guards& guards) {
  ServedItems story(guards, [](api::EngineOptions& engine) { engine.stack.fragment_bytes = 200; });
  story.before(
      "collector.fragment",
      [&](const sim::StepInfo&) { story.stall(names::replication_client, k_long); }, 3);
  std::vector<sim::postgres::Statement> statements;
  for (int id = 2; id < 100; ++id) statements.push_back(Story::item(id));
  story.write(statements);
  story.pass(std::chrono::seconds(1));
  return story.client.read();
}

TEST(StreamGuards, NobodySeesAPartOfATransaction) {
  EXPECT_EQ(read_within_a_transaction(Guards::all()), "1");
  EXPECT_EQ(read_within_a_transaction(without(Guard::applied_moves_with_whole_transactions)),
            oracle::property::transaction_whole);
}

// F-04. A collector dies with row 2, which it had taken and not handed to the store; the session
// has nothing for it before the next one is there.
std::string collector_dies_before_the_commit(const Guards& guards) {
  ServedItems story(guards);
  story.before("ShapeLogCollector::contribute", [&](const sim::StepInfo& step) {
    story.stall(names::replication_client, std::chrono::seconds(2));
    Story::kill()(step);
  });
  story.write({Story::item(2)});
  story.pass(std::chrono::seconds(5));
  story.write({Story::item(3)});
  return story.later();
}

TEST(StreamGuards, WhatACollectorTookAndDidNotCommitComesAgainToTheNext) {
  EXPECT_EQ(collector_dies_before_the_commit(Guards::all()), "1 2 3");
  EXPECT_EQ(collector_dies_before_the_commit(without(Guard::session_ends_with_its_collector)),
            "1 3");
}

// F-50, F-109. A shape is removed while its consumer has not answered; another one goes on.
std::string removed_with_input(const Guards& guards, std::uint64_t bytes_under_way) {
  ServedItems story(guards, [&](api::EngineOptions& engine) {
    engine.api.deletion = api::Deletion::allowed;
    engine.stack.bytes_under_way_max = bytes_under_way;
  });
  story.create_numbers("others", {"id"});
  Client others(story, "others", {"id"});
  others.read();
  story.before("Consumer::deliver", story.stall(k_long));
  story.write({Story::item(2)});
  story.pass(std::chrono::seconds(1));
  EXPECT_EQ(story.ask("/v1/shape?table=items&handle=" + story.client.handle(), "DELETE").status,
            202);
  story.write({Story::insert("others", {{"id", "7"}})});
  story.pass(std::chrono::seconds(2));  // before the next position is stored, which makes room too
  return others.read();
}

TEST(StreamGuards, ARemovedShapeIsNotWaitedFor) {
  EXPECT_EQ(removed_with_input(Guards::all(), StackOptions{}.bytes_under_way_max), "7");
  EXPECT_EQ(removed_with_input(without(Guard::removed_shape_owes_nothing),
                               StackOptions{}.bytes_under_way_max),
            "");
}

TEST(StreamGuards, TheStreamGoesOnWhenARemovalHasMadeRoom) {
  EXPECT_EQ(removed_with_input(Guards::all(), 0), "7");
  EXPECT_EQ(removed_with_input(without(Guard::stream_goes_on_with_any_room), 0), "");
}

}  // namespace
}  // namespace holdfast::stack::test
