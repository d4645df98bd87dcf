// The database is out of reach: what was known of it is told as before (http-api.md §3, §13.5,
// §15).
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack::test {
namespace {

std::uint64_t last_seen(const protocol::Response& response) {
  const std::string name = R"("global_last_seen_lsn":")";
  const std::size_t at = response.body.find(name);
  return at == std::string::npos ? 0 : std::stoull(response.body.substr(at + name.size()));
}

TEST(LostDatabase, IsNoReasonToTellLessThanBefore) {
  WholeEngine world;
  world.create_items();
  world.create_table(
      "others",
      {{.name = "id", .type = sim::postgres::TypeId::int8, .not_null = true, .key_position = 1}});
  world.start();
  const std::string target = "/v1/shape?table=items";
  const std::string handle = *world.ask(target + "&offset=-1").header("electric-handle");
  const std::string others =
      *world.ask("/v1/shape?table=others&offset=-1").header("electric-handle");
  world.write({WholeEngine::insert("others", {{"id", "1"}})});
  EXPECT_EQ(world.ask("/v1/shape?table=others&offset=0_0&live=true&handle=" + others).status, 200);
  const std::uint64_t before = last_seen(world.ask(target + "&offset=0_0&handle=" + handle));
  EXPECT_GT(before, 0U);

  world.postgres_.set_reachable(1, false);
  world.postgres_.disconnect_all();
  world.until([&] { return world.instance_->engine().health() != api::HealthStatus::active; });
  world.pass(std::chrono::seconds(3));
  EXPECT_EQ(world.instance_->engine().health(), api::HealthStatus::starting)
      << "nobody else has the lock, for all it knows";
  EXPECT_EQ(last_seen(world.ask(target + "&offset=0_0&handle=" + handle)), before);
  EXPECT_EQ(last_seen(world.ask(target + "&offset=now")), before);
}

}  // namespace
}  // namespace holdfast::stack::test
