// Sets against std::set under random changes, and that what two of them share is not compared.
#include "core/subquery/value_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/guard_list.hpp"
#include "core/subquery/materializer_state.hpp"
#include "core/subquery/set_index.hpp"
#include "core/where/link_value.hpp"
#include "tests/subquery/database.hpp"

namespace holdfast::subquery {
namespace {

std::string packed(std::optional<std::string_view> text) {
  std::string out;
  where::append_packed(out, text);
  return out;
}

TEST(ValueSet, IsASetWhateverItsHistory) {
  test::Dice dice(3);
  ValueSet set;
  ValueSet old;
  std::set<std::string> model;
  std::set<std::string> old_model;
  for (int step = 0; step < 5000; ++step) {
    const std::string value =
        packed(dice.one_in(50) ? std::nullopt
                               : std::optional<std::string_view>(std::to_string(dice.below(200))));
    if (dice.one_in(2)) {
      set = set.with(value);
      model.insert(value);
    } else {
      set = set.without(value);
      model.erase(value);
    }
    ASSERT_EQ(set.size(), model.size());
    ASSERT_EQ(set.contains(value), model.contains(value));
    ASSERT_EQ(set.nulls(), model.count(packed(std::nullopt)));
    if (step % 50 != 0) continue;
    ASSERT_EQ(set.values(), std::vector<std::string>(model.begin(), model.end()));
    std::vector<std::string> gone;
    std::set_difference(old_model.begin(), old_model.end(), model.begin(), model.end(),
                        std::back_inserter(gone));
    ASSERT_EQ(old.minus(set), gone);
    ASSERT_EQ(ValueSet(set.values()), set);
    old = set;
    old_model = model;
  }
}

// Three-valued logic of rows in all its forms: few values, many NULLs.
TEST(SetIndex, AnswersAsTheSet) {
  test::Dice dice(7);
  const auto row = [&](std::size_t columns) {
    std::string value;
    for (std::size_t i = 0; i < columns; ++i)
      value +=
          packed(dice.one_in(3) ? std::nullopt
                                : std::optional<std::string_view>(std::to_string(dice.below(4))));
    return value;
  };
  std::map<where::Truth, int> answers;
  for (int round = 0; round < 2000; ++round) {
    const std::size_t columns = 1 + dice.below(3);
    std::vector<std::string> values(dice.below(5));
    for (std::string& value : values) value = row(columns);
    const ValueSet set(values);
    const SetIndex index(set);
    for (int question = 0; question < 10; ++question) {
      const std::string value = row(columns);
      ASSERT_EQ(index.holds(value), set.holds(value));
      answers[set.holds(value)]++;
    }
  }
  for (const auto truth : {where::Truth::no, where::Truth::unknown, where::Truth::yes})
    EXPECT_GT(answers[truth], 500) << "each answer was asked for";
}

InnerChange step(InnerChange::Kind kind, const char* key, const char* value) {
  const auto text = value == nullptr ? std::nullopt : std::optional<std::string_view>(value);
  return {kind, key, packed(text), {}, {}};
}

TEST(MaterializerState, TellsWhatACommitChangedOnTheWhole) {
  using Kind = InnerChange::Kind;
  MaterializerState state;
  state.apply(step(Kind::insert, "1", "a"));
  state.apply(step(Kind::insert, "2", "a"));
  state.apply(step(Kind::insert, "3", nullptr));
  EXPECT_EQ(state.commit({}).ins, (std::vector<std::string>{packed(std::nullopt), packed("a")}));
  state.apply(step(Kind::erase, "1", nullptr));
  EXPECT_TRUE(state.commit({}).empty()) << "another row has the value";
  state.apply(step(Kind::update, "2", "b"));
  state.apply(step(Kind::update, "2", "a"));
  state.apply(step(Kind::erase, "2", nullptr));
  state.apply(step(Kind::insert, "9", "a"));
  EXPECT_TRUE(state.commit({7}).empty()) << "toggles and a new key cancel (F-62, F-69)";
  state.apply(step(Kind::update, "3", "a"));
  const Moves moves = state.commit({8});
  EXPECT_EQ(moves.outs, std::vector<std::string>{packed(std::nullopt)});
  EXPECT_TRUE(moves.ins.empty());
  EXPECT_EQ(state.count(packed("a")), 2U);
}

TEST(MaterializerState, WithoutTheGuardAValueThatComesBackWithinACommitMoves) {
  using Kind = InnerChange::Kind;
  Guards guards = Guards::all();
  guards.switch_off(Guard::cancel_within_a_commit);
  MaterializerState state(nullptr, Rules(guards));
  state.apply(step(Kind::insert, "1", "a"));
  (void)state.commit({});
  state.apply(step(Kind::update, "1", "b"));
  state.apply(step(Kind::update, "1", "a"));
  const Moves moves = state.commit({});
  EXPECT_EQ(moves.outs.front(), packed("a")) << "and its rows with it, for nothing (F-62)";
}

TEST(MaterializerState, CountsEqualRowsOfATableWithoutAPrimaryKey) {
  using Kind = InnerChange::Kind;
  MaterializerState state(nullptr, {}, false);
  state.apply(step(Kind::insert, "1", "a"));
  state.apply(step(Kind::insert, "1", "a"));
  EXPECT_EQ(state.commit({}).ins, std::vector<std::string>{packed("a")});
  auto restored = MaterializerState::restore(state.take_changes(), nullptr, {}, false);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->count(packed("a")), 2U);
  restored->apply(step(Kind::erase, "1", nullptr));
  EXPECT_TRUE(restored->commit({}).empty()) << "its equal is still there";
  restored->apply(step(Kind::erase, "1", nullptr));
  EXPECT_EQ(restored->commit({}).outs, std::vector<std::string>{packed("a")});
}

}  // namespace
}  // namespace holdfast::subquery
