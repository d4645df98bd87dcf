// A column becomes nullable under a shape: who was told NOT NULL gets no NULL but another shape
// (http-api.md §10, §18.4).
#include "core/base/mark_list.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack::test {
namespace {

TEST(AlteredSchema, WhoWasToldNotNullGetsAnotherShapeInsteadOfANull) {
  WholeEngine world;
  world.create_table(
      "items",
      {{.name = "id", .type = sim::postgres::TypeId::int8, .not_null = true, .key_position = 1},
       {.name = "v", .type = sim::postgres::TypeId::int4, .not_null = true}});
  world.start();
  const std::string target = "/v1/shape?table=items";
  const protocol::Response first = world.ask(target + "&offset=-1");
  const std::string handle = *first.header("electric-handle");
  const std::string id = R"({"id":{"type":"int8","pk_index":0,"not_null":true},)";
  EXPECT_EQ(*first.header("electric-schema"), id + R"("v":{"type":"int4","not_null":true}})");

  ASSERT_TRUE(world.postgres_.set_not_null({"public", "items"}, "v", false));
  world.write({WholeEngine::insert("items", {{"id", "1"}})});  // with NULL
  const protocol::Response live = world.ask(target + "&handle=" + handle + "&offset=0_0&live=true");
  EXPECT_EQ(live.status, 409) << live.body;
  const protocol::Response again = world.ask(target + "&offset=-1");
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(*again.header("electric-handle"), handle);
  EXPECT_EQ(*again.header("electric-schema"), id + R"("v":{"type":"int4"}})");

  // The other way round nobody is told anything new.
  world.write({{sim::postgres::StatementKind::erase, {"public", "items"}, {}, {}, {}}});
  ASSERT_TRUE(world.postgres_.set_not_null({"public", "items"}, "v", true));
  world.write({WholeEngine::insert("items", {{"id", "2"}, {"v", "2"}})});
  const std::string next = *again.header("electric-handle");
  EXPECT_EQ(world.ask(target + "&handle=" + next + "&offset=0_0").status, 200);
  EXPECT_EQ(*world.ask(target + "&offset=-1").header("electric-schema"),
            id + R"("v":{"type":"int4"}})");
}

// What a transaction did to a table is in the catalogue once the transaction is visible. Until then
// a table that is described anew is held against nothing, so the stream waits.
TEST(AlteredSchema, ATransactionThatDescribesATableAnewWaitsUntilTheCatalogueShowsIt) {
  WholeEngine world;
  world.create_table(
      "items",
      {{.name = "id", .type = sim::postgres::TypeId::int8, .not_null = true, .key_position = 1},
       {.name = "v", .type = sim::postgres::TypeId::int4}});
  world.start();
  const std::string target = "/v1/shape?table=items";
  const protocol::Response first = world.ask(target + "&offset=-1");
  const std::string rest = target + "&offset=0_0&handle=" + *first.header("electric-handle");
  const auto row = [](const char* id) {
    return WholeEngine::insert("items", {{"id", id}, {"v", "1"}});
  };
  world.write({row("1")});  // described for the first time
  world.pass(std::chrono::seconds(1));
  ASSERT_TRUE(world.postgres_.set_not_null({"public", "items"}, "v", true));
  const sim::postgres::Session session = world.postgres_.begin();
  world.postgres_.execute(session, row("2"));
  world.postgres_.log_commit(session, sim::postgres::Synchronous::on);
  world.pass(std::chrono::seconds(3));
  EXPECT_EQ(world.ask(rest).body.find(R"("id":"2")"), std::string::npos) << "not visible yet";
  EXPECT_TRUE(world.reached(Mark::described_before_visible));
  world.postgres_.show_commit(session);
  world.pass(std::chrono::seconds(1));
  EXPECT_NE(world.ask(rest).body.find(R"("id":"2")"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::stack::test
