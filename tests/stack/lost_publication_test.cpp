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

}  // namespace
}  // namespace holdfast::stack::test
