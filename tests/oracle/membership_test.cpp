// What a reader may hold while it lags behind the inner rows, on histories made by hand: a row that
// some position explains is right, one that none does, or only one that was over, is not.
#include "oracle/checks/membership.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;

/// Rows with one test each, and what the test said of each left side from which position on.
class FakeMemberships final : public Memberships {
 public:
  bool refresh() override { return known; }
  std::uint64_t epoch() const override { return crashes; }
  std::size_t tests() const override { return 1; }
  std::vector<const TestedRow*> rows(const VisibleSet& visible) override {
    return visible.up_to > 0 && later ? *later : table;
  }
  std::optional<std::uint64_t> earliest(std::size_t, const std::string& left, TestTruth truth,
                                        std::uint64_t from) override {
    const auto& said = history[left];
    for (std::size_t i = 0; i < said.size(); ++i) {
      const bool lasts = i + 1 == said.size() || said[i + 1].first > from;
      if (said[i].second == truth && lasts) return std::max(from, said[i].first);
    }
    return std::nullopt;
  }

  bool known = true;
  std::uint64_t crashes = 0;
  std::vector<const TestedRow*> table;                 ///< at the marker
  std::optional<std::vector<const TestedRow*>> later;  ///< as it is now, if that is something else
  std::map<std::string, std::vector<std::pair<std::uint64_t, TestTruth>>> history;
};

/// `x IN (SELECT …)`: chosen if the test says yes.
TestedRow row_in(const std::string& key, const std::string& left) {
  TestedRow row{key, {left}, {false, true, false}, {}};
  row.contents.add(hash_cell(hash128(key), "id", key));
  return row;
}
/// `x NOT IN (SELECT …)`: chosen if the test says no.
TestedRow row_not_in(const std::string& key, const std::string& left) {
  TestedRow row = row_in(key, left);
  row.chosen = {true, false, false};
  return row;
}

class MembershipAtMarkers : public ::testing::Test {
 protected:
  MembershipAtMarkers() {
    spec_ = items_spec();
    spec_.all_columns = spec_.key_columns;
    spec_.bool_columns.clear();
  }

  /// Objections to a view that holds the rows of these keys.
  Properties judge(const std::vector<std::string>& keys) {
    ClientView view(spec_);
    std::vector<Message> messages;
    for (const std::string& key : keys) {
      messages.emplace_back().key = key;
      messages.back().value = {{"id", key}};
    }
    messages.emplace_back().kind = MessageKind::snapshot_end;
    messages.back().snapshot = {1, 1, {}};
    view.apply(messages, LogOffset::before_all(), LogOffset::at(~0ULL, 0), found_.sink());
    compared_ = check_.judge(view, {}, truth_, counters_, found_.sink());
    return found_.properties();
  }

  ShapeSpec spec_;
  FakeMemberships truth_;
  MembershipCheck check_;
  MembershipCounters counters_;
  Objections found_;
  bool compared_ = false;
};

const Properties k_fine = {};
const Properties k_wrong = {property::membership_forward};
constexpr TestTruth k_no = TestTruth::no;
constexpr TestTruth k_yes = TestTruth::yes;
constexpr TestTruth k_unknown = TestTruth::unknown;

TEST_F(MembershipAtMarkers, OfARowThatWasInAtSomeTimeMayLag) {
  const TestedRow row = row_in("1", "a");
  truth_.table = {&row};
  truth_.history["a"] = {{0, k_no}, {10, k_yes}, {20, k_no}};
  EXPECT_EQ(judge({"1"}), k_fine);
  EXPECT_EQ(counters_.lagging, 1U);
  EXPECT_EQ(judge({}), k_fine);
  EXPECT_EQ(counters_.lagging, 1U) << "it is out now";
  EXPECT_EQ(judge({"1"}), k_wrong) << "and was never in again";
}

TEST_F(MembershipAtMarkers, OfARowThatNeverWasInAreObjectedTo) {
  const TestedRow row = row_in("1", "a");
  truth_.table = {&row};
  truth_.history["a"] = {{0, k_no}};
  EXPECT_EQ(judge({}), k_fine);
  EXPECT_EQ(judge({"1"}), k_wrong);
}

TEST_F(MembershipAtMarkers, AreTheSameForAllRowsOfAValue) {
  const TestedRow first = row_in("1", "a");
  const TestedRow second = row_in("2", "a");
  truth_.table = {&first, &second};
  truth_.history["a"] = {{0, k_yes}, {10, k_no}};
  EXPECT_EQ(judge({"1", "2"}), k_fine);
  EXPECT_EQ(judge({"1"}), k_wrong) << "one row knows of the change, the other does not";
}

// Seed 91045 of awkward_values: the row went while no test chose it, of which the log says nothing.
TEST_F(MembershipAtMarkers, SayNothingOfARowThatIsLackedAndGoneFromTheTableSince) {
  const TestedRow held = row_in("1", "a");
  const TestedRow lacked = row_in("2", "a");
  truth_.table = {&held, &lacked};
  truth_.later = {&held};
  truth_.history["a"] = {{0, k_no}, {10, k_yes}};
  EXPECT_EQ(judge({"1"}), k_fine);
  truth_.later = {&lacked};
  EXPECT_EQ(judge({}), k_wrong) << "a is in by now, and its row still there";
}

TEST_F(MembershipAtMarkers, OfDifferentValuesAreOfDifferentTimes) {
  const TestedRow first = row_in("1", "a");
  const TestedRow second = row_in("2", "b");
  truth_.table = {&first, &second};
  truth_.history["a"] = {{0, k_yes}, {10, k_no}};
  truth_.history["b"] = {{0, k_yes}, {10, k_no}};
  EXPECT_EQ(judge({"1"}), k_fine);
  EXPECT_EQ(judge({"2"}), k_wrong) << "of a it knew better";
}

TEST_F(MembershipAtMarkers, AreUnknownWhereANullIs) {
  const TestedRow row = row_not_in("1", "a");
  truth_.table = {&row};
  truth_.history["a"] = {{0, k_unknown}};
  EXPECT_EQ(judge({}), k_fine);
  EXPECT_EQ(counters_.unknown, 1U);
  EXPECT_EQ(judge({"1"}), k_wrong);
}

TEST_F(MembershipAtMarkers, StartAnewWhenACrashHasTakenCommitsBack) {
  const TestedRow row = row_in("1", "a");
  truth_.table = {&row};
  truth_.history["a"] = {{0, k_yes}, {10, k_no}};
  EXPECT_EQ(judge({}), k_fine);
  truth_.crashes = 1;
  truth_.history["a"] = {{0, k_yes}};
  EXPECT_EQ(judge({"1"}), k_fine);
}

TEST_F(MembershipAtMarkers, AreNotJudgedWhereTheRowsAreOthersThanTheTables) {
  const TestedRow row = row_in("1", "a");
  truth_.table = {&row};
  truth_.history["a"] = {{0, k_yes}};
  EXPECT_EQ(judge({"7"}), k_fine);
  EXPECT_FALSE(compared_) << "who compares contents must do so";
  truth_.known = false;
  judge({"1"});
  EXPECT_FALSE(compared_);
}

}  // namespace
}  // namespace holdfast::oracle::test
