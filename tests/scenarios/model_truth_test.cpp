// What the truth says by digest must be what it says in rows, at every point of any history: a
// digest that lags behind would let a client's wrong rows pass, or blame it for right ones.
#include "scenarios/model_truth.hpp"

#include <gtest/gtest.h>

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Session;
using sim::postgres::Synchronous;

class DigestOfTruth : public ::testing::Test {
 protected:
  DigestOfTruth() {
    for (const auto& table : tables_) model_.create_table(table);
    // Without a primary key, a row may be there twice.
    sim::postgres::TableDefinition keyless = tables_[0];
    keyless.name.table = "keyless";
    keyless.columns[0].key_position = 0;
    model_.create_table(keyless);
  }

  /// Some shapes that every history is asked about: all kinds of conditions and columns.
  void make_specs(const Draws& draws) {
    for (unsigned i = 0; i < 12; ++i)
      specs_.push_back(make_spec(tables_[i % 2], "s" + std::to_string(i), draws.of("spec", i)));
    specs_.push_back(make_spec(tables_[0], "subselect", draws.of("subselect")));
    specs_.back().where = "id IN (SELECT id FROM t1 WHERE v > 0)";
  }

  void one_transaction(const Draws& draws) {
    const Session session = model_.begin();
    bool failed = false;
    for (unsigned i = 0; i < 4 && !failed; ++i)
      failed = model_.execute(session, make_mutation(tables_[i % 2], 8, draws.of("mutation", i)))
                   .outcome != sim::postgres::ExecuteOutcome::ok;
    if (!failed && draws.percent(8, "truncate"))
      model_.execute(session,
                     {sim::postgres::StatementKind::truncate, tables_[0].name, {}, {}, {}});
    if (failed || draws.percent(10, "rollback")) return model_.rollback(session);
    model_.commit(session, draws.percent(50, "async") ? Synchronous::off : Synchronous::on);
  }

  void something_else(const Draws& draws) {
    if (draws.percent(5, "crash")) model_.crash_and_restart();
    if (draws.percent(10, "identity"))
      model_.set_replica_identity(tables_[0].name, sim::postgres::ReplicaIdentity::full);
    const auto snapshot = model_.current_snapshot();
    oracle::StatedSnapshot stated{snapshot.xmin.value, snapshot.xmax.value, {}};
    for (const auto xid : snapshot.xip) stated.xip.push_back(xid.value);
    snapshots_.push_back(stated);
    positions_.push_back(model_.insert_position().value);
  }

  void compare(const Draws& draws) {
    for (const oracle::ShapeSpec& spec : specs_) {
      const Draws draw = draws.of(spec.name);
      const oracle::VisibleSet visible{
          draw.percent(20, "none") ? 0 : positions_[draw.below(positions_.size(), "position")],
          snapshots_[draw.below(snapshots_.size(), "snapshot")]};
      const oracle::Rows rows = truth_.rows(spec, visible);
      rows_seen_ += rows.size();
      ASSERT_EQ(truth_.digest(spec, visible), oracle::digest_of(rows))
          << spec.name << " " << spec.where << " at " << visible.up_to;
    }
  }

  std::vector<sim::postgres::TableDefinition> tables_ = {make_table(0), make_table(1)};
  sim::postgres::PostgresModel model_;
  ModelTruth truth_{model_};
  std::vector<oracle::ShapeSpec> specs_;
  std::vector<oracle::StatedSnapshot> snapshots_;
  std::vector<std::uint64_t> positions_;
  std::size_t rows_seen_ = 0;
};

TEST_F(DigestOfTruth, IsThatOfItsRowsAtEveryPointOfAHistory) {
  const Draws draws(11);
  make_specs(draws);
  // One transaction stays open for a while now and then, so that snapshots have gaps.
  std::optional<Session> slow;
  for (unsigned step = 0; step < 150; ++step) {
    const Draws draw = draws.of("step", step);
    if (slow && draw.percent(30, "end slow")) {
      if (model_.open(*slow)) model_.commit(*slow, Synchronous::on);
      slow.reset();
    }
    if (!slow && draw.percent(20, "begin slow")) {
      slow = model_.begin();
      model_.execute(*slow, make_insert(tables_[1], 100 + step, draw.of("slow row")));
    }
    one_transaction(draw);
    something_else(draw);
    compare(draw);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(rows_seen_, 2'000U);
}

TEST_F(DigestOfTruth, ChangesWithEachVisibleTransaction) {
  oracle::ShapeSpec spec = make_spec(tables_[0], "all", Draws(3));
  spec.where.clear();
  spec.columns.clear();
  const oracle::StatedSnapshot nothing{1, 1, {}};
  std::vector<oracle::RowsDigest> digests = {truth_.digest(spec, {0, nothing})};
  for (std::uint64_t key = 0; key < 3; ++key) {
    const Session session = model_.begin();
    model_.execute(session, make_insert(tables_[0], key, Draws(key)));
    const auto committed = model_.commit(session, Synchronous::on);
    digests.push_back(truth_.digest(spec, {committed.commit_lsn.value, nothing}));
    EXPECT_NE(digests.back(), digests[key]);
    EXPECT_EQ(truth_.digest(spec, {committed.commit_lsn.value - 1, nothing}), digests[key]);
  }
}

TEST_F(DigestOfTruth, OfRowsThatAreThereTwiceCountsThemTwice) {
  oracle::ShapeSpec spec = make_spec(tables_[0], "twice", Draws(3));
  spec.table = "keyless";
  spec.where.clear();
  spec.columns.clear();
  spec.key_columns = {};
  std::uint64_t last = 0;
  for (unsigned i = 0; i < 2; ++i) {
    const Session session = model_.begin();
    auto insert = make_insert(tables_[0], 1, Draws(1));
    insert.table.table = "keyless";
    ASSERT_EQ(model_.execute(session, insert).outcome, sim::postgres::ExecuteOutcome::ok);
    last = model_.commit(session, Synchronous::on).commit_lsn.value;
  }
  const oracle::VisibleSet all{last, {1, 1, {}}};
  EXPECT_EQ(truth_.rows(spec, all).size(), 1U);
  oracle::RowsDigest twice = oracle::digest_of(truth_.rows(spec, all));
  const Hash128 once = twice.sum();
  twice.add(once);
  EXPECT_EQ(truth_.digest(spec, all), twice) << "so the oracle compares row by row";
}

}  // namespace
}  // namespace holdfast::scenarios
