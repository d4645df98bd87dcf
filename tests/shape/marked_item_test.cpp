// The wire form of shapes with subqueries (http-api.md §24), byte for byte: clients match tags by
// text.
#include "core/shape/log_item.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::shape {
namespace {

Definition two_disjuncts() {
  postgres::RelationInfo owners;
  owners.oid = {2};
  owners.name = {"public", "owners"};
  owners.columns = {test::make_column("id", 20, "int8", 1)};
  const where::Relations relations = {owners};
  const postgres::RelationInfo items = test::items();
  auto made = Definition::resolve({.table = items.name,
                                   .columns = std::vector<std::string>{"id", "done"},
                                   .where = "id IN (SELECT id FROM owners) OR prio = 1"},
                                  items, &relations);
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

const RowMarks k_seven{{"77", "1"}, {true, false}};
const RowMarks k_eight{{"88", "1"}, {true, true}};

std::string one(const postgres::Change& change, const RowMarks* before, const RowMarks* after) {
  std::vector<LogItem> items;
  append_marked_change(items, two_disjuncts(), change, before, after, {5}, {100});
  std::string out;
  for (const LogItem& item : items) out += item.json.substr(item.json.find("\"txids\"")) + "\n";
  return out;
}

TEST(MarkedItems, CarryTagsAndConditions) {
  EXPECT_EQ(one(test::insertion({"7", "a", "t", "2"}), nullptr, &k_seven),
            "\"txids\":[5],\"lsn\":\"100\",\"op_position\":0,\"tags\":[\"77/\",\"/1\"],"
            "\"active_conditions\":[true,false]}}\n");
  EXPECT_EQ(one(test::deletion({"7", "a", "t", "2"}), &k_seven, nullptr),
            "\"txids\":[5],\"lsn\":\"100\",\"op_position\":0,\"tags\":[\"77/\",\"/1\"]}}\n");
  EXPECT_EQ(one(test::update({"7", "a", "t", "2"}, {"7", "a", "f", "1"}), &k_seven, &k_eight),
            "\"txids\":[5],\"lsn\":\"100\",\"op_position\":0,\"tags\":[\"88/\",\"/1\"],"
            "\"active_conditions\":[true,true],\"removed_tags\":[\"77/\"]}}\n");
}

TEST(MarkedItems, AreUpdatesIfOnlyTagsOrConditionsChanged) {
  const auto unseen = test::update({"7", "a", "t", "2"}, {"7", "b", "t", "2"});
  EXPECT_EQ(one(unseen, &k_seven, &k_seven), "");
  EXPECT_NE(one(unseen, &k_seven, &k_eight), "");
}

TEST(MarkedItems, HaveBothRowsTagsInTheDeleteOfAKeyChange) {
  const std::string made =
      one(test::update({"7", "a", "t", "2"}, {"8", "a", "t", "2"}), &k_seven, &k_eight);
  EXPECT_NE(made.find("\"tags\":[\"88/\",\"/1\",\"77/\"]}}"), std::string::npos) << made;
}

TEST(MarkedItems, OfQueriesSayWhetherTheyMovedIn) {
  std::string row;
  append_marked_row(row, two_disjuncts(), test::tuple({"7", nullptr, "t", nullptr}), k_seven,
                    RowOrigin::move_in);
  EXPECT_EQ(row,
            "{\"key\":\"\\\"public\\\".\\\"items\\\"/"
            "\\\"7\\\"\",\"value\":{\"done\":\"true\",\"id\":\"7\"},"
            "\"headers\":{\"operation\":\"insert\",\"relation\":[\"public\",\"items\"],\"tags\":["
            "\"77/\",\"/1\"],"
            "\"active_conditions\":[true,false],\"is_move_in\":true}}");
  std::string event;
  append_move_event(event, MoveDirection::out, {{0, "77"}, {2, "88"}}, {5, 6});
  EXPECT_EQ(event,
            "{\"headers\":{\"event\":\"move-out\",\"patterns\":[{\"pos\":0,\"value\":\"77\"},"
            "{\"pos\":2,\"value\":\"88\"}],\"txids\":[5,6]}}");
}

TEST(InjectedItems, FollowTheLastOffset) {
  EXPECT_EQ(next_injected(protocol::LogOffset::snapshot_end()).to_string(), "1_0");
  EXPECT_EQ(next_injected(protocol::LogOffset::at(1, 0)).to_string(), "1_1");
  EXPECT_EQ(next_injected(protocol::LogOffset::at(26884928, 4)).to_string(), "26884928_5");
}

}  // namespace
}  // namespace holdfast::shape
