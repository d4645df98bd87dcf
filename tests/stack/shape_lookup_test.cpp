// A request that reads the tables of shapes while their owner is being replaced finds them gone. It
// then asks the store, and a held request that looks again finds its shape as it was. Without the
// guard, both take a missing table for a missing shape (F-40).
#include "core/api/shape_lookup.hpp"

#include <gtest/gtest.h>

#include "core/base/guard_list.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/one_shape_fixture.hpp"
#include "tests/stack/shape_story.hpp"

namespace holdfast::stack {
namespace {

using protocol::ShapeHandle;
using test::k_handle;

/// What a request finds.
struct Found {
  std::optional<ShapeMeta> by_handle, by_identity;
  std::optional<postgres::Lsn> position;
};

class Asking : public runtime::Process {
 public:
  Asking(Context context, Hash128 identity, Found& found)
      : context_(std::move(context)), identity_(identity), found_(found) {}
  void ask() {
    found_.by_handle = api::find_by_handle(*this, *context_, api::Source::read_models, k_handle);
    found_.by_identity =
        api::find_by_identity(*this, *context_, api::Source::read_models, identity_);
    found_.position = api::global_lsn(*this, api::Source::read_models, k_handle);
  }

 protected:
  void init() override { cast<&Asking::ask>(runtime::Ref<Asking>{self()}); }

 private:
  Context context_;
  Hash128 identity_;
  Found& found_;
};

/// Owns the tables as the status owner does; here they have no rows.
class Owner : public runtime::Process {
 protected:
  void init() override {
    shapes_.emplace(*this, tables::shape_meta);
    identities_.emplace(*this, tables::shape_by_identity);
  }

 private:
  std::optional<runtime::OwnedTable<ShapeHandle, ShapeMeta>> shapes_;
  std::optional<runtime::OwnedTable<Hash128, ShapeHandle>> identities_;
};

class ShapeLookup : public test::OneShapeFixture {
 protected:
  Found ask(const Guards& guards) {
    Found found;
    runtime_.spawn_root<Asking>({.role = "asking"}, context_with(guards), store_->record().identity,
                                std::ref(found));
    executor_.run_until_quiet();
    return found;
  }
};

TEST_F(ShapeLookup, WhileTheOwnerIsBeingReplacedTheStoreAnswers) {
  const Found found = ask(Guards::all());
  ASSERT_TRUE(found.by_handle.has_value());
  ASSERT_TRUE(found.by_identity.has_value());
  EXPECT_EQ(found.by_handle->head, store_->record().head) << "a held request sees no change";
  EXPECT_TRUE(found.by_handle->snapshot_complete);
  EXPECT_FALSE(found.position.has_value()) << "no position is no position, not zero";
}

TEST_F(ShapeLookup, WithoutTheGuardAMissingTableReadsAsAMissingShape) {
  Guards without = Guards::all();
  without.switch_off(Guard::gone_asks_the_store);
  const Found found = ask(without);
  EXPECT_FALSE(found.by_handle.has_value());
  EXPECT_FALSE(found.by_identity.has_value());
}

TEST_F(ShapeLookup, AnOwnerThatLivesHasTheLastWord) {
  const auto owner = runtime_.spawn_root<Owner>({.role = "owner"});
  executor_.run_until_quiet();
  EXPECT_FALSE(ask(Guards::all()).by_handle.has_value());
  runtime_.kill(owner.id);
  EXPECT_TRUE(ask(Guards::all()).by_handle.has_value()) << "its tables went with it";
}

// A standby asks the store, the leader its read models, which may be seconds late: a removal waits
// until these leave the question to the store. Once a client was sent away by the one and served by
// the other (I-43).
TEST(Removal, IsFinalForTheLeaderOnceItIsForAStandby) {
  test::Story story;
  story.engine_.api.deletion = api::Deletion::allowed;
  story.create_items();
  story.start();
  scenarios::Instance& leader = *story.instance_;
  scenarios::Instance& standby = story.begin(Guards::all());
  const std::string shape = "/v1/shape?table=items";
  const std::string handle = *story.ask(shape + "&offset=-1").header("electric-handle");
  const auto status_at = [&](scenarios::Instance& instance) {
    story.instance_ = &instance;
    return story.ask(shape + "&offset=0_0&handle=" + handle).status;
  };
  story.stall(names::shape_status_owner, std::chrono::seconds(5));
  leader.handle(test::request(shape, "DELETE"), [](const protocol::Response&) {});
  story.pass(std::chrono::seconds(1));
  EXPECT_EQ(status_at(standby), 200) << "the leader would still serve it";
  story.pass(std::chrono::seconds(9));
  EXPECT_EQ(status_at(leader), 409);
  EXPECT_EQ(status_at(standby), 409);
}

}  // namespace
}  // namespace holdfast::stack
