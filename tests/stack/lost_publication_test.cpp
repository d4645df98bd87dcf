// Somebody drops the publication: what was written without it is in no stream, so all shapes end,
// and what is made anew misses nothing.
#include "core/base/mark_list.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack::test {
namespace {

TEST(LostPublication, EndsAllShapesAndTheSlotIsMadeAnew) {
  WholeEngine world;
  world.create_items();
  world.start();
  const std::string target = "/v1/shape?table=items";
  const protocol::Response first = world.ask(target + "&offset=-1");
  const std::string handle = *first.header("electric-handle");

  world.postgres_.drop_publication(StackOptions{}.publication);
  world.postgres_.disconnect_all();
  world.write({WholeEngine::insert("items", {{"id", "2"}})});
  world.until([&] { return world.reached(Mark::all_shapes_reset); });
  world.until([&] { return world.instance_->engine().health() == api::HealthStatus::active; });
  EXPECT_EQ(world.ask(target + "&handle=" + handle + "&offset=0_0").status, 409);
  EXPECT_NE(world.ask(target + "&offset=-1").body.find(R"("2")"), std::string::npos);
}

// Nobody writes, so the stream does not fail; whoever publishes a table finds out. Once its shape
// was made and removed without end.
TEST(LostPublication, IsFoundMissingByANewShape) {
  WholeEngine world;
  world.create_items();
  world.start();
  world.postgres_.drop_publication(StackOptions{}.publication);
  EXPECT_EQ(world.ask("/v1/shape?table=items&offset=-1").status, 200);
  EXPECT_TRUE(world.reached(Mark::publication_found_missing));
}

// Without a disconnection: the stream ends with the first change that is decoded without it.
TEST(LostPublication, EndsTheStreamWithTheNextChange) {
  WholeEngine world;
  world.create_items();
  world.start();
  const std::string target = "/v1/shape?table=items";
  const std::string handle = *world.ask(target + "&offset=-1").header("electric-handle");
  world.postgres_.drop_publication(StackOptions{}.publication);
  world.write({WholeEngine::insert("items", {{"id", "2"}})});
  EXPECT_EQ(world.ask(target + "&handle=" + handle + "&offset=0_0&live=true").status, 409);
  EXPECT_TRUE(world.reached(Mark::all_shapes_reset));
}

// wal_status = lost: the slot is made anew, and everything that was made by the old one ends.
TEST(LostSlot, EndsAllShapesAndIsMadeAnew) {
  WholeEngine world;
  world.create_items();
  world.start();
  const std::string target = "/v1/shape?table=items";
  const std::string handle = *world.ask(target + "&offset=-1").header("electric-handle");
  world.postgres_.invalidate_slot(StackOptions{}.slot);
  world.write({WholeEngine::insert("items", {{"id", "2"}})});
  world.until([&] { return world.reached(Mark::all_shapes_reset); });
  EXPECT_EQ(world.ask(target + "&handle=" + handle + "&offset=0_0").status, 409);
  EXPECT_NE(world.ask(target + "&offset=-1").body.find(R"("2")"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::stack::test
