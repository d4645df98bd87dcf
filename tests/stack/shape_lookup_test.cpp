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

/// A leader, and one shape that is removed.
class Removal : public ::testing::Test, public test::Story {
 protected:
  Removal() {
    engine_.api.deletion = api::Deletion::allowed;
    create_items();
    start();
    leader_ = instance_;
    handle_ = *ask(k_shape + "&offset=-1").header("electric-handle");
  }
  int status_at(scenarios::Instance* instance) {
    instance_ = instance;
    return ask(k_shape + "&offset=0_inf&handle=" + handle_).status;
  }
  void begin_removal() {
    leader_->handle(test::request(k_shape, "DELETE"), [](const protocol::Response&) {});
  }
  Act stall_owner() {
    return [this](const sim::StepInfo&) {
      executor_.stall(leader_->runtime(),
                      leader_->runtime().whereis(names::shape_status_owner.text),
                      std::chrono::seconds(5));
    };
  }

  const std::string k_shape = "/v1/shape?table=items";
  scenarios::Instance* leader_ = nullptr;
  std::string handle_;
};

// A standby asks the store, the leader its read models, which may be seconds late. Once a client
// was sent away by the one and served by the other (I-43).
TEST_F(Removal, WaitsUntilTheReadModelsLeaveItToTheStore) {
  scenarios::Instance* standby = &begin(Guards::all());
  stall(names::shape_status_owner, std::chrono::seconds(5));
  begin_removal();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(status_at(standby), 200) << "the leader would still serve it";
  pass(std::chrono::seconds(9));
  EXPECT_EQ(status_at(leader_), 409);
  EXPECT_EQ(status_at(standby), 409);
}

TEST_F(Removal, IsSeenByTheLeaderBeforeItsReadModelsForget) {
  before("store.remove", stall_owner());
  begin_removal();
  pass(std::chrono::seconds(1));
  EXPECT_EQ(status_at(leader_), 409);
}

// A collector that starts has read the store before the removal, and goes on long after it.
TEST_F(Removal, IsNotUndoneByACollectorThatStarts) {
  stall(names::shape_cleaner, std::chrono::seconds(1));
  begin_removal();
  pass(std::chrono::milliseconds(10));
  before("StoreProcess::begin_session", [this](const sim::StepInfo&) {
    stall(names::shape_log_collector, std::chrono::seconds(3));
  });
  runtime().kill(runtime().whereis(names::shape_log_collector.text));
  pass(std::chrono::seconds(9));
  EXPECT_EQ(status_at(leader_), 409);
}

}  // namespace
}  // namespace holdfast::stack
