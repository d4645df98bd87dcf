// What is set aside for a shape in quarantine, as bytes, and histories in which one shape's
// consumer dies of all its input: the others go on, and it misses nothing when it comes back.
#include <gtest/gtest.h>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/log/set_aside_input.hpp"
#include "scenarios/run.hpp"

namespace holdfast::stack {
namespace {

// -- the bytes ------------------------------------------------------------------------------------

DeliveredTransaction sample() {
  auto relation = std::make_shared<postgres::StreamRelation>();
  relation->oid = {16'385};
  relation->name = {"public", "items"};
  relation->replica_identity = 'f';
  relation->columns = {{"id", {23}, -1, true}, {"name", {1043}, 24, false}};
  auto transaction = std::make_shared<postgres::Transaction>();
  transaction->xid.value = 777;
  transaction->commit_lsn.value = 0x1'0000'0001;
  transaction->end_lsn.value = 0x1'0000'0031;
  const auto text = std::make_shared<const std::string>("1x\"y");
  transaction->buffers.push_back(text);
  const std::string_view view(*text);
  transaction->changes.resize(3);
  transaction->changes[0] = {
      postgres::ChangeKind::insert, relation, {}, {view.substr(0, 1), {}}, 0};
  transaction->changes[1] = {
      postgres::ChangeKind::insert, relation, {}, {view.substr(0, 1), {}}, 2};
  transaction->changes[2] = {postgres::ChangeKind::update,
                             relation,
                             {view.substr(0, 1), std::string_view()},
                             {view.substr(0, 1), view.substr(1)},
                             4};
  return {transaction, std::make_shared<EncodedChanges>(), {0, 2}};
}

TEST(SetAsideInput, ComesBackWithWhatConcernsTheShapeAndNothingElse) {
  const DeliveredTransaction before = sample();
  const auto after = input_of_bytes(bytes_of_input(before));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->transaction->xid, before.transaction->xid);
  EXPECT_EQ(after->transaction->commit_lsn, before.transaction->commit_lsn);
  EXPECT_EQ(after->changes, (std::vector<std::uint32_t>{0, 1}));
  for (const std::uint32_t change : after->changes) {
    const postgres::Change& copy = after->transaction->changes[change];
    const postgres::Change& original = before.transaction->changes[before.changes[change]];
    EXPECT_EQ(copy.kind, original.kind);
    EXPECT_EQ(copy.op, original.op);
    EXPECT_EQ(*copy.relation, *original.relation);
    EXPECT_EQ(copy.old_tuple, original.old_tuple);
    EXPECT_EQ(copy.new_tuple, original.new_tuple);
  }
}

TEST(SetAsideInput, CutShortAnywhereItIsAnErrorAndNoOtherInput) {
  const std::string bytes = bytes_of_input(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(input_of_bytes(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(input_of_bytes(bytes + "x"));
}

TEST(SetAsideInput, IsKeptInTheOrderOfTheStream) {
  DeliveredTransaction first = sample();
  DeliveredTransaction second = sample();
  second.changes = {2};
  EXPECT_LT(key_of_input(first), key_of_input(second));
  auto later = std::make_shared<postgres::Transaction>(*second.transaction);
  later->commit_lsn.value += 0x100;
  EXPECT_LT(key_of_input(second), key_of_input({later, second.encoded, {0}}));
  EXPECT_EQ(commit_of_key(key_of_input(first)), first.transaction->commit_lsn);
  EXPECT_EQ(commit_of_key("short"), postgres::Lsn{});
}

// -- histories ------------------------------------------------------------------------------------

/// Four shapes, one of which is poisoned to the end; a kill -9 in the middle of it.
scenarios::Plan poisoned_history() {
  scenarios::Plan plan = scenarios::make_plan("reference", 3);
  plan.specs.resize(4);
  std::erase_if(plan.clients, [](const auto& client) { return client.spec >= 4; });
  plan.faults = {{scenarios::FaultKind::poisoned_shape, std::chrono::milliseconds(300), 1}};
  plan.restarts.resize(1);
  plan.restarts.front().kind = scenarios::RestartKind::brutal;
  plan.restarts.front().after = std::chrono::milliseconds(1'500);
  return plan;
}

std::string run_without(const scenarios::Plan& plan, std::optional<Guard> guard = {}) {
  scenarios::RunOptions options;
  if (guard) options.weakened.guards.switch_off(*guard);
  const scenarios::RunReport report = scenarios::run_plan(plan, options);
  const auto reached = [&](Mark mark) { return report.marks[static_cast<std::size_t>(mark)] > 0; };
  if (guard != Guard::poisoned_shape_is_quarantined) {
    EXPECT_TRUE(reached(Mark::shape_quarantined));
  }
  if (!report.failed()) {
    EXPECT_TRUE(reached(Mark::quarantine_ended));
  }
  return report.failed() ? report.violations.front().property : std::string();
}

TEST(Quarantine, TheOthersGoOnAndTheShapeMissesNothingAfterwards) {
  EXPECT_EQ(run_without(poisoned_history()), "");
}

TEST(Quarantine, WithoutItOneShapeHoldsTheStream) {
  EXPECT_EQ(run_without(poisoned_history(), Guard::poisoned_shape_is_quarantined),
            oracle::property::convergence);
}

TEST(Quarantine, InputThatIsNotStoredIsMissed) {
  EXPECT_NE(run_without(poisoned_history(), Guard::quarantined_input_is_stored), "");
}

TEST(Quarantine, AShapeThatIsServedAllTheSameIsBehindItsPosition) {
  EXPECT_EQ(run_without(poisoned_history(), Guard::quarantined_shape_is_unavailable),
            oracle::property::view_equals_query);
}

}  // namespace
}  // namespace holdfast::stack
