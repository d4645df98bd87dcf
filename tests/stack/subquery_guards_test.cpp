// The guards of shapes with subqueries that their processes ask, each in a story that goes wrong
// without it: consumers and collectors that start again, and markers while input waits. Tasks of
// the projects that there are; rows of tasks are written id=project.
#include "core/base/mark_list.hpp"
#include "tests/stack/shape_story.hpp"

namespace holdfast::stack::test {
namespace {

using sim::postgres::Statement;

constexpr Duration k_long = std::chrono::minutes(5);

Statement project(int id) {
  return WholeEngine::insert("projects", {{"id", std::to_string(id)}});
}
Statement task(int id, int of) {
  return WholeEngine::insert("tasks",
                             {{"id", std::to_string(id)}, {"project", std::to_string(of)}});
}

/// Task 1 of project 1, and one client who has read it; tasks 2 and 3 are of projects that are
/// still to come.
class ServedTasks : public Story {
 public:
  explicit ServedTasks(const Guards& guards) {
    create_numbers("projects", {"id"});
    create_numbers("tasks", {"id", "project"});
    write({project(1), task(1, 1), task(2, 2), task(3, 3)});
    start(guards);
    EXPECT_EQ(client.read(), "1=1");
    pass(std::chrono::seconds(1));
  }
  void kill_collector() { runtime().kill(runtime().whereis(names::shape_log_collector.text)); }

  Client client{
      *this, "tasks", {"id", "project"}, "project IN (SELECT id FROM projects)", {"projects"}};
};

// B5. The query for project 2 is under way, and project 3 waits behind it, when the engine dies.
std::string killed_with_moves_that_wait(const Guards& guards) {
  ServedTasks story(guards);
  story.before("snapshot.known", story.stall(k_long));
  story.write({project(2)});
  story.pass(std::chrono::seconds(1));
  story.write({project(3)});
  story.pass(std::chrono::seconds(1));
  story.restart(guards);
  story.pass(std::chrono::seconds(10));
  return story.client.read();
}

TEST(SubqueryGuards, AShapeThatStartsAgainMovesToItsResultsAsTheyAre) {
  EXPECT_EQ(killed_with_moves_that_wait(Guards::all()), "1=1 2=2 3=3");
  EXPECT_EQ(killed_with_moves_that_wait(without(Guard::subscribe_by_difference)), "1=1 2=2");
}

// F-64. A task is streamed to one collector, and replayed to the next, before any query sees it.
std::string invisible_over_a_collector(const Guards& guards) {
  ServedTasks story(guards);
  story.show_in(std::chrono::seconds(20), story.write_unseen(task(7, 2)));
  story.pass(std::chrono::seconds(1));
  story.write({project(2)});
  story.pass(std::chrono::seconds(1));
  story.kill_collector();
  story.pass(std::chrono::seconds(30));
  return story.client.read();
}

TEST(SubqueryGuards, AQuerySeesWhatAnEarlierCollectorGaveToItsShape) {
  EXPECT_EQ(invisible_over_a_collector(Guards::all()), "1=1 2=2 7=2");
  EXPECT_EQ(invisible_over_a_collector(without(Guard::query_sees_what_was_given_before)),
            "1=1 2=2");
}

// I-58. A task comes while a query is under way, and waits for its end.
std::string read_while_input_waits(const Guards& guards) {
  ServedTasks story(guards);
  story.before("snapshot.known", story.stall(k_long));
  story.write({project(2)});
  story.pass(std::chrono::seconds(1));
  story.write({task(7, 1)});
  story.pass(std::chrono::seconds(1));
  return story.client.read_with_claim();
}

TEST(SubqueryGuards, NoMarkerClaimsWhatWaitsBehindAQuery) {
  EXPECT_EQ(read_while_input_waits(Guards::all()), "1=1");
  EXPECT_EQ(read_while_input_waits(without(Guard::markers_stay_below_the_buffer)),
            "1=1, and claims to be up to date");
}

// http-api.md §5.9: though there is no compaction, where it may be asked for is the same.
TEST(Compaction, IsRefusedToAShapeWithSubqueries) {
  ServedTasks story(Guards::all());
  const protocol::Response refused = story.ask(
      "/v1/shape?table=tasks&where=project+IN+(SELECT+id+FROM+projects)&offset=-1"
      "&experimental_compaction=true");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, R"({"message":"Invalid request","errors":{"experimental_compaction":)"
                          R"(["can't be enabled for shapes with subqueries"]}})");
  EXPECT_EQ(story.ask("/v1/shape?table=tasks&offset=-1&experimental_compaction=true").status, 200);
}

// A row comes again before its table's TRUNCATE has ended the shape, whose state still has it.
TEST(SubqueryConsumers, TakeNothingAfterATruncate) {
  ServedTasks story(Guards::all());
  story.before("Consumer::deliver", story.stall(std::chrono::seconds(2)));
  story.write(
      {Statement{sim::postgres::StatementKind::truncate, {"public", "projects"}, {}, {}, {}}});
  story.pass(std::chrono::seconds(1));
  story.write({project(1)});
  story.pass(std::chrono::seconds(5));
  EXPECT_TRUE(story.reached(Mark::shape_removed_by_truncate));
  EXPECT_EQ(story.client.read(), "409");
}

// B2. A task was taken by one collector, and is replayed to the next.
std::string replayed_to_a_collector(const Guards& guards) {
  ServedTasks story(guards);
  story.show_in(std::chrono::seconds(9), story.write_unseen(task(7, 1)));  // not confirmed before
  story.pass(std::chrono::seconds(1));
  EXPECT_EQ(story.client.read(), "1=1 7=1");
  story.kill_collector();
  story.pass(std::chrono::seconds(20));
  return story.client.read();
}

TEST(SubqueryGuards, AReplayedTransactionIsHandledOnceWhoeverOfTwoSeesTo) {
  Guards neither = without(Guard::state_is_given_once);
  neither.switch_off(Guard::drop_replayed_transactions);
  EXPECT_EQ(replayed_to_a_collector(without(Guard::drop_replayed_transactions)), "1=1 7=1");
  EXPECT_EQ(replayed_to_a_collector(without(Guard::state_is_given_once)), "1=1 7=1");
  EXPECT_DEATH(replayed_to_a_collector(neither), "offsets of one log strictly increase");
}

}  // namespace
}  // namespace holdfast::stack::test
