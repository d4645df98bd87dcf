// A held request outlives whom it reads from and who would wake it: it finds its shape in the store
// while the tables have no owner, and subscribes anew. Without its guards it fails, or waits in
// vain (F-89, F-92).
#include <gtest/gtest.h>

#include "core/api/request_process.hpp"
#include "core/base/guard_list.hpp"
#include "core/stack/connection/inspector.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "tests/stack/one_shape_fixture.hpp"

namespace holdfast::stack {
namespace {

using protocol::LogOffset;
using test::k_handle;

/// Owns what says that the engine is ready, and what requests mean.
class Rest : public runtime::Process {
 public:
  explicit Rest(std::shared_ptr<const shape::Definition> definition)
      : definition_(std::move(definition)) {}
  void set_catalogue_current(bool current) {
    status_->put(0, {Readiness::active, ServiceStatus::active, current});
  }

 protected:
  void init() override {
    status_.emplace(*this, tables::status);
    definitions_.emplace(*this, tables::definitions);
    set_catalogue_current(true);
    definitions_->put(definition_->request_key(), definition_);
  }

 private:
  std::shared_ptr<const shape::Definition> definition_;
  std::optional<runtime::OwnedTable<std::uint8_t, StackStatus>> status_;
  std::optional<runtime::OwnedTable<std::string, std::shared_ptr<const shape::Definition>>>
      definitions_;
};

class HeldRequest : public test::OneShapeFixture {
 protected:
  /// One request at the end of the log, held.
  void hold(const Guards& guards) {
    start(guards);
    ASSERT_FALSE(over_) << (answer_ ? answer_->body : "it died");
  }
  /// The same, whatever becomes of it.
  void start(const Guards& guards, const std::string& offset = "7_2") {
    context_ = context_with(guards);
    const auto definition =
        std::make_shared<const shape::Definition>(shape::test::with_where("id = 1"));
    rest_ = runtime_.spawn_root<Rest>({.role = "rest"}, definition);
    shapes_ = runtime_.spawn_root<ShapeStatusOwner>(
        {.role = "shapes", .registered_name = names::shape_status_owner.text}, context_);
    runtime_.cast_from_outside<&ShapeStatusOwner::add>(shapes_, store_->record());
    pass(std::chrono::seconds(1));
    changes_ = start_changes();
    auto request = std::make_shared<protocol::Request>();
    request->method = "GET";
    protocol::parse_target(
        "/v1/shape?table=items&where=id%20%3D%201&offset=" + offset + "&handle=1-1&live=true",
        *request);
    const auto process = runtime_.spawn_root<api::RequestProcess>(
        {.role = "request"}, context_, std::make_shared<const api::ApiOptions>(),
        std::make_shared<const std::atomic<bool>>(false), std::shared_ptr<api::Permit>(), request,
        [this](protocol::Response response) { answer_ = std::move(response); });
    runtime_.monitor_outside(process.id, [this](const runtime::ExitReason&) { over_ = true; });
    pass(std::chrono::seconds(1));
  }
  runtime::Ref<ShapeChanges> start_changes() {
    return runtime_.spawn_root<ShapeChanges>(
        {.role = "changes", .registered_name = names::shape_changes.text}, context_);
  }
  void pass(Duration time) {
    executor_.run_until([] { return false; }, {.until = executor_.now() + time});
  }
  static Guards without(Guard guard) {
    Guards guards = Guards::all();
    guards.switch_off(guard);
    return guards;
  }
  /// Its tables end, and it is told to look.
  void take_tables_away() {
    runtime_.kill(shapes_.id);
    runtime_.cast_from_outside<&ShapeChanges::all_changed>(changes_);
    pass(std::chrono::seconds(1));
  }
  /// Who wakes it is replaced, then its shape moves.
  void replace_waker() {
    runtime_.kill(changes_.id);
    changes_ = start_changes();
    pass(std::chrono::seconds(1));
    Committed what;
    what.heads = {{k_handle, LogOffset::at(9, 0), 1}};
    runtime_.cast_from_outside<&ShapeStatusOwner::committed>(shapes_, std::move(what));
    pass(std::chrono::seconds(1));
  }

  /// Its shape moves while the read models are made anew.
  void make_read_models_anew() {
    auto found = std::make_shared<storage::Boot>();
    found->shapes = {store_->record()};
    found->shapes.front().head = LogOffset::at(9, 0);
    runtime_.cast_from_outside<&ShapeStatusOwner::refresh>(shapes_, std::move(found));
    pass(std::chrono::seconds(1));
  }

  Context context_;
  runtime::Ref<Rest> rest_;
  runtime::Ref<ShapeStatusOwner> shapes_;
  runtime::Ref<ShapeChanges> changes_;
  std::optional<protocol::Response> answer_;
  bool over_ = false;
};

TEST_F(HeldRequest, StaysHeldWhileTheTablesHaveNoOwner) {
  hold(Guards::all());
  take_tables_away();
  EXPECT_FALSE(over_) << "missing tables are no change";
}

TEST_F(HeldRequest, WithoutTheGuardMissingTablesEndIt) {
  hold(without(Guard::missing_tables_are_no_change));
  take_tables_away();
  EXPECT_TRUE(over_);
  EXPECT_FALSE(answer_.has_value()) << "its client is told 500";
}

TEST_F(HeldRequest, IsWokenThoughItsWakerWasReplaced) {
  hold(Guards::all());
  replace_waker();
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status, 200);
}

TEST_F(HeldRequest, IsWokenByWhoMakesTheReadModelsAnew) {
  hold(Guards::all());
  make_read_models_anew();
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status, 200);
}

TEST_F(HeldRequest, WithoutTheGuardItSleepsOverReadModelsThatAreNew) {
  hold(without(Guard::refresh_wakes_everyone));
  make_read_models_anew();
  EXPECT_FALSE(over_);
}

// Another thread is faster: the change is announced before anybody waits for it.
TEST_F(HeldRequest, SeesWhatChangedBetweenItsLookAndItsSubscription) {
  const auto change_and_wait = [this, changed = false](const sim::StepInfo& step) mutable {
    if (step.label.text != "request.looked" || std::exchange(changed, true)) return;
    Committed what;
    what.heads = {{k_handle, LogOffset::at(9, 0), 1}};
    runtime_.cast_from_outside<&ShapeStatusOwner::committed>(shapes_, std::move(what));
    executor_.stall(runtime_, step.process, std::chrono::milliseconds(10));
  };
  executor_.on_step(change_and_wait);
  start(Guards::all());
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status, 200);
}

// Whoever leads now has served it, and this instance has not heard of the new leader.
TEST_F(HeldRequest, WithAnOffsetThatTheStoreHasIsNotOutOfBounds) {
  start(Guards::all(), "9_0");
  store_->advance(LogOffset::at(9, 0));
  pass(api::ApiOptions{}.long_poll_timeout / 2);
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status, 200) << answer_->body;
}

TEST_F(HeldRequest, WithAnOffsetThatTheStoreHasNotIsOutOfBounds) {
  start(Guards::all(), "9_0");
  pass(api::ApiOptions{}.long_poll_timeout / 2);
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status, 400) << answer_->body;
}

TEST_F(HeldRequest, ToldThatItsShapeIsGoneByTheStoreItLeavesNoReadModelWhichSaysOtherwise) {
  hold(Guards::all());
  // The leader has lost its lock between a removal's commit and the read models' part of it.
  store_->remove();
  runtime_.cast_from_outside<&Rest::set_catalogue_current>(rest_, false);
  runtime_.cast_from_outside<&ShapeChanges::all_changed>(changes_);
  pass(std::chrono::seconds(1));
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status, 409);
  EXPECT_FALSE(runtime::TableRef(runtime_, tables::shape_meta).find(k_handle).found()) << "I-43";
}

TEST_F(HeldRequest, WithoutTheGuardNobodyWakesIt) {
  hold(without(Guard::waiters_outlive_shape_changes));
  replace_waker();
  EXPECT_FALSE(over_);
}

}  // namespace
}  // namespace holdfast::stack
