// The oracle's rules for shapes with subqueries against a naive engine that is right, over many
// random histories, and against the same with one defect: it must accept the one and object to each
// of the others.
#include "tests/scenarios/reference_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "oracle/oracle.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/subqueries/subquery_workload.hpp"

namespace holdfast::scenarios::test {
namespace {

using sim::postgres::Statement;

constexpr std::uint64_t k_keys = 5;

struct World {
  SubqueryWorkload workload;
  const char* table;
  std::vector<Literal> literals;
};

const std::vector<World>& worlds() {
  static const std::vector<World> k_worlds = {
      {{SubqueryWorld::hierarchy},
       "l4",
       {{"l3_id IN (SELECT id FROM l3 WHERE l2_id IN (SELECT id FROM l2 WHERE l1_id IN (SELECT id "
         "FROM l1 WHERE active)))",
         {"l3_id"}},
        {"id IN (SELECT owner_id FROM l4_tags WHERE tag = 'a')", {"id"}},
        {"l3_id NOT IN (SELECT owner_id FROM l3_tags WHERE tag = 'b')", {"l3_id"}},
        {"active", {}},
        {"name = 'a'", {}}}},
      {{SubqueryWorld::access},
       "documents",
       {{"group_id IN (SELECT group_id FROM memberships WHERE user_id = 1)", {"group_id"}},
        {"id IN (SELECT document_id FROM grants WHERE user_id = 1)", {"id"}},
        {"group_id IN (SELECT id FROM groups WHERE open)", {"group_id"}},
        {"owner_id = 1", {}}}},
      {{SubqueryWorld::awkward},
       "outer_rows",
       {{"i IN (SELECT i FROM inner_rows WHERE flag)", {"i"}},
        {"n NOT IN (SELECT n FROM inner_rows WHERE t <> 'b')", {"n"}},
        {"(i, t) IN (SELECT i, t FROM inner_rows)", {"i", "t"}},
        {"t NOT IN (SELECT t FROM inner_rows WHERE i = 1)", {"t"}},
        {"i = 1", {}},
        {"flag IS NOT TRUE", {}}}}};
  return k_worlds;
}

/// How far a stream's knowledge of the inner rows is behind.
enum class Lag { none, some, goes_back };

/// One shape, one client, one history. Answers what the oracle objected to.
class History {
 public:
  History(const World& world, Defect defect, const Draws& draws, Lag lag = Lag::none)
      : world_(world), draws_(draws), lag_(lag), truth_(model_), oracle_(truth_) {
    for (const auto& table : make_subquery_tables(world.workload)) model_.create_table(table);
    make_spec(defect);
    fill();
    view_.emplace(spec_);
  }

  std::vector<oracle::Violation> run() {
    hear(stream_->snapshot());
    known_ = truth_.last_commit();
    positions_ = {known_};
    for (unsigned t = 0; t < 20 && oracle_.violations().empty(); ++t) {
      const Draws draws = draws_.of("transaction", t);
      const bool outer = draws.percent(30, "outer");
      if (outer) catch_up();
      const std::uint64_t lsn = write(draws, outer);
      if (lsn == 0) continue;
      if (outer) positions_.clear();
      positions_.push_back(lsn);
      if (outer)
        hear(stream_->after_outer(lsn));
      else
        hear(stream_->after_inner(next_position(draws)));
      if (outer) known_ = lsn;
      at_marker();
      // Without a lag each moment is quiet.
      if (lag_ == Lag::none) converged();
    }
    if (oracle_.violations().empty()) {
      catch_up();
      converged();
    }
    return oracle_.violations();
  }

  const oracle::MembershipCounters& counters() const { return counters_; }

 private:
  void make_spec(Defect defect) {
    ReferenceStream::Disjuncts disjuncts;
    const std::size_t count = draws_.between(1, 3, "disjuncts");
    for (std::size_t i = 0; i < count; ++i) {
      std::set<std::size_t> some;
      const std::size_t size = draws_.between(1, 2, "size", i);
      for (std::size_t j = 0; j < size; ++j)
        some.insert(draws_.below(world_.literals.size(), "literal", i * 8 + j));
      // A shape of this kind has a subquery somewhere.
      if (i == 0) some.insert(0);
      const std::vector<std::size_t> disjunct(some.begin(), some.end());
      if (std::find(disjuncts.begin(), disjuncts.end(), disjunct) == disjuncts.end())
        disjuncts.push_back(disjunct);
    }
    // Positions are of the conditions that the clause has.
    std::vector<Literal> literals;
    std::map<std::size_t, std::size_t> position;
    for (std::size_t i = 0; i < world_.literals.size(); ++i)
      for (const auto& disjunct : disjuncts)
        if (std::find(disjunct.begin(), disjunct.end(), i) != disjunct.end() &&
            position.emplace(i, literals.size()).second)
          literals.push_back(world_.literals[i]);
    for (auto& disjunct : disjuncts)
      for (std::size_t& literal : disjunct) literal = position.at(literal);
    spec_.name = "s0";
    spec_.table = world_.table;
    spec_.where = ReferenceStream::clause(literals, disjuncts);
    for (const auto& table : make_subquery_tables(world_.workload)) {
      if (table.name.table == spec_.table)
        describe_columns(spec_, table);
      else
        spec_.inner_tables.push_back(table.name.table);
    }
    stream_.emplace(truth_, spec_, literals, disjuncts, defect);
  }

  void fill() {
    for (std::size_t t = 0; t <= spec_.inner_tables.size(); ++t)
      for (std::uint64_t key = 0; key < k_keys; ++key)
        if (draws_.percent(70, "present", t * k_keys + key))
          commit_at_once(model_, {make_subquery_row(world_.workload, t, key,
                                                    draws_.of("row", t * k_keys + key))});
  }

  /// The position at which the stream now looks at the inner rows: one since the last change of the
  /// shape's own table.
  std::uint64_t next_position(const Draws& draws) {
    if (lag_ == Lag::none) return known_ = positions_.back();
    std::vector<std::uint64_t> possible;
    for (const std::uint64_t position : positions_)
      if (position >= known_ || (lag_ == Lag::goes_back && draws.percent(50, "back")))
        possible.push_back(position);
    return known_ = draws.one_of(possible, "position");
  }

  void catch_up() {
    if (known_ == positions_.back()) return;
    known_ = positions_.back();
    hear(stream_->after_inner(known_));
    at_marker();
  }

  void at_marker() {
    oracle::Memberships& truth = *truth_.memberships(spec_);
    if (!truth.refresh())
      return;  // more tests than can be tried; counters() tell how few these are
    EXPECT_TRUE(
        check_.judge(*view_, {truth_.last_commit(), {1, 1, {}}}, truth, counters_, object()) ||
        !oracle_.violations().empty());
  }
  void converged() { oracle_.converged(spec_, "c0", *view_, Instant{}); }

  /// Some statements on one side of the shape. 0: nothing was written.
  std::uint64_t write(const Draws& draws, bool outer) {
    const sim::postgres::Session session = model_.begin();
    for (unsigned m = 0; m < 6; ++m)
      for (const Statement& one :
           with_room(make_subquery_mutation(world_.workload, k_keys, draws.of("mutation", m)))) {
        if ((one.table.table == spec_.table) != outer) continue;
        if (model_.execute(session, one).outcome == sim::postgres::ExecuteOutcome::ok) continue;
        model_.rollback(session);
        return 0;
      }
    return model_.commit(session, sim::postgres::Synchronous::on).commit_lsn.value;
  }

  oracle::Object object() {
    return [this](const char* property, std::string what) {
      oracle_.object(property, std::move(what), "c0", Instant{});
    };
  }

  void hear(const std::vector<oracle::Message>& messages) {
    view_->apply(messages, protocol::LogOffset::before_all(), protocol::LogOffset::at(~0ULL, 0),
                 object());
  }

  const World& world_;
  Draws draws_;
  Lag lag_;
  sim::postgres::PostgresModel model_;
  ModelTruth truth_;
  oracle::Oracle oracle_;
  oracle::ShapeSpec spec_;
  std::optional<ReferenceStream> stream_;
  std::optional<oracle::ClientView> view_;
  oracle::MembershipCheck check_;
  oracle::MembershipCounters counters_;
  std::vector<std::uint64_t> positions_;  ///< of commits since the own table's last, with that
  std::uint64_t known_ = 0;               ///< the position as of which it knows the inner rows
};

TEST(ReferenceStreams, ThatAreRightAreAccepted) {
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    const World& world = worlds()[seed % worlds().size()];
    const auto found = History(world, Defect::none, Draws(seed).of("history")).run();
    ASSERT_TRUE(found.empty()) << seed << ": " << found.front().property << ": "
                               << found.front().what;
  }
}

// The markers of a shape say nothing of how current its knowledge of the inner rows is.
TEST(ReferenceStreams, ThatLagBehindTheInnerRowsAreAccepted) {
  oracle::MembershipCounters all;
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    const World& world = worlds()[seed % worlds().size()];
    History history(world, Defect::none, Draws(seed).of("history"), Lag::some);
    const auto found = history.run();
    ASSERT_TRUE(found.empty()) << seed << ": " << found.front().property << ": "
                               << found.front().what;
    all.judged += history.counters().judged;
    all.lagging += history.counters().lagging;
    all.unknown += history.counters().unknown;
  }
  std::printf("of %llu markers %llu lag, %llu have an unknown test\n",
              static_cast<unsigned long long>(all.judged),
              static_cast<unsigned long long>(all.lagging),
              static_cast<unsigned long long>(all.unknown));
  EXPECT_GT(all.judged, 15'000U);
  EXPECT_GT(all.lagging, 50U);
  EXPECT_GT(all.unknown, 100U);
}

TEST(ReferenceStreams, WhoseKnowledgeGoesBackAreNot) {
  unsigned objected = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    const World& world = worlds()[seed % worlds().size()];
    const auto found =
        History(world, Defect::none, Draws(seed).of("history"), Lag::goes_back).run();
    if (found.empty()) continue;
    EXPECT_EQ(found.front().property, oracle::property::membership_forward)
        << seed << ": " << found.front().what;
    objected++;
  }
  EXPECT_GT(objected, 20U);
  std::printf("objected to %u of 300\n", objected);
}

struct Expected {
  const char* name;
  Defect defect;
  std::set<std::string> properties;  ///< any of them, before the others
};

class DefectiveStream : public ::testing::TestWithParam<Expected> {};

TEST_P(DefectiveStream, IsObjectedToWithinAFewHundredHistories) {
  unsigned objected = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    const World& world = worlds()[seed % worlds().size()];
    const auto found = History(world, GetParam().defect, Draws(seed).of("history")).run();
    if (found.empty()) continue;
    EXPECT_TRUE(GetParam().properties.contains(found.front().property))
        << seed << ": " << found.front().property << ": " << found.front().what;
    objected++;
  }
  EXPECT_GT(objected, 5U);
  std::printf("objected to %u of 300\n", objected);
}

namespace property = oracle::property;
INSTANTIATE_TEST_SUITE_P(
    Each, DefectiveStream,
    ::testing::Values(
        Expected{"move_out_lost",
                 Defect::move_out_lost,
                 {property::convergence, property::membership_forward, property::moves_legal,
                  property::tags_true, property::row_legality}},
        Expected{"move_in_lost",
                 Defect::move_in_lost,
                 {property::convergence, property::membership_forward, property::moves_legal,
                  property::tags_true, property::row_legality}},
        Expected{"move_twice", Defect::move_twice, {property::moves_legal}},
        Expected{"pattern_of_another_value",
                 Defect::pattern_of_another_value,
                 {property::convergence, property::membership_forward, property::moves_legal,
                  property::tags_true, property::row_legality}},
        Expected{"rows_of_a_move_lost",
                 Defect::rows_of_a_move_lost,
                 {property::convergence, property::membership_forward}},
        Expected{"present_rows_sent_again",
                 Defect::present_rows_sent_again,
                 {property::row_legality, property::moves_legal}},
        Expected{"removed_tags_missing", Defect::removed_tags_missing, {property::tags_true}},
        Expected{"conditions_stale",
                 Defect::conditions_stale,
                 {property::tags_true, property::moves_legal, property::convergence,
                  property::membership_forward}},
        Expected{"null_is_not_in",
                 Defect::null_is_not_in,
                 {property::convergence, property::membership_forward}}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace holdfast::scenarios::test
