#include "oracle/checks/membership.hpp"

#include <algorithm>
#include <set>

#include "core/base/assert.hpp"

namespace holdfast::oracle {
namespace {

constexpr std::uint64_t k_end_of_history = ~0ULL;

std::size_t truth_in(std::size_t choice, std::size_t test) {
  for (std::size_t i = 0; i < test; ++i) choice /= k_test_truths;
  return choice % k_test_truths;
}

/// A marker may claim less than its log has passed: transactions beyond it that concerned no row of
/// the shape gave it no record. So a row that the client lacks says nothing once it is gone from
/// the table.
void leave_out_overtaken(std::vector<const TestedRow*>& rows, const ClientView& view,
                         const VisibleSet& visible, Memberships& truth) {
  const std::vector<const TestedRow*> now = truth.rows({k_end_of_history, {}, visible.form});
  const std::set<const TestedRow*> there(now.begin(), now.end());
  std::erase_if(rows, [&](const TestedRow* row) {
    return !there.contains(row) && !view.holds(row->key);
  });
}

}  // namespace

void MembershipCheck::forget(std::uint64_t epoch) {
  *this = MembershipCheck();
  epoch_ = epoch;
}

bool MembershipCheck::judge(const ClientView& view, const VisibleSet& visible, Memberships& truth,
                            MembershipCounters& counters, const Object& object) {
  if (!truth.refresh()) return false;
  if (epoch_ != truth.epoch()) forget(truth.epoch());
  std::vector<const TestedRow*> rows = truth.rows(visible);
  // Other rows than the table's are for who compares their contents.
  RowsDigest contents;
  std::size_t held = 0;
  for (const TestedRow* row : rows)
    if (view.holds(row->key)) {
      contents.add(row->contents.sum());
      held++;
    }
  if (held != view.size() || contents != view.digest()) return false;
  leave_out_overtaken(rows, view, visible, truth);
  counters.judged++;
  if (rows == last_rows_ && view.digest() == last_view_) return true;
  find_choices(rows, truth);
  if (!explain(rows, view, object)) {
    forget(truth.epoch());  // the next marker is judged by itself
    return true;
  }
  remember(truth, counters);
  last_rows_ = std::move(rows);
  last_view_ = view.digest();
  return true;
}

bool MembershipCheck::explain(const std::vector<const TestedRow*>& rows, const ClientView& view,
                              const Object& object) {
  for (Narrowed what = Narrowed::something; what == Narrowed::something;) {
    what = Narrowed::nothing;
    for (const TestedRow* row : rows) {
      const bool held = view.holds(row->key);
      const Narrowed by_row = narrow(*row, held);
      if (by_row == Narrowed::to_nothing) {
        object(property::membership_forward,
               std::string(held ? "the client has " : "the client lacks ") + row->key +
                   ": the inner rows never were so since what it last knew of them");
        return false;
      }
      if (by_row == Narrowed::something) what = by_row;
    }
  }
  return true;
}

void MembershipCheck::find_choices(const std::vector<const TestedRow*>& rows, Memberships& truth) {
  choices_.clear();
  for (const TestedRow* row : rows)
    for (std::size_t test = 0; test < row->lefts.size(); ++test) {
      const auto [choice, added] = choices_.try_emplace({test, row->lefts[test]});
      if (!added) continue;
      const auto bound = bounds_.find(choice->first);
      const std::uint64_t from = bound == bounds_.end() ? 0 : bound->second;
      for (std::size_t t = 0; t < k_test_truths; ++t)
        choice->second[t] = truth.earliest(test, row->lefts[test], static_cast<TestTruth>(t), from);
    }
}

MembershipCheck::Narrowed MembershipCheck::narrow(const TestedRow& row, bool held) {
  std::vector<Choices*> choices;
  for (std::size_t test = 0; test < row.lefts.size(); ++test)
    choices.push_back(&choices_.at({test, row.lefts[test]}));
  std::vector<std::array<bool, k_test_truths>> admitted(choices.size());
  bool any = false;
  for (std::size_t choice = 0; choice < row.chosen.size(); ++choice) {
    if (row.chosen[choice] != held) continue;
    bool possible = true;
    for (std::size_t test = 0; test < choices.size() && possible; ++test)
      possible = (*choices[test])[truth_in(choice, test)].has_value();
    if (!possible) continue;
    any = true;
    for (std::size_t test = 0; test < choices.size(); ++test)
      admitted[test][truth_in(choice, test)] = true;
  }
  if (!any) return Narrowed::to_nothing;
  Narrowed what = Narrowed::nothing;
  for (std::size_t test = 0; test < choices.size(); ++test)
    for (std::size_t t = 0; t < k_test_truths; ++t)
      if ((*choices[test])[t] && !admitted[test][t]) {
        (*choices[test])[t].reset();
        what = Narrowed::something;
      }
  return what;
}

void MembershipCheck::remember(Memberships& truth, MembershipCounters& counters) {
  bool lagging = false;
  bool unknown = false;
  for (const auto& [value, choice] : choices_) {
    std::optional<std::uint64_t> lowest;
    for (const auto& position : choice)
      if (position && (!lowest || *position < *lowest)) lowest = position;
    ASSERT(lowest, "each value of a row that was explained has a choice");
    bounds_[value] = *lowest;
    bool now = false;
    for (std::size_t t = 0; t < k_test_truths; ++t)
      now = now || (choice[t] && truth.earliest(value.first, value.second,
                                                static_cast<TestTruth>(t), k_end_of_history));
    lagging = lagging || !now;
    unknown = unknown || (choice[static_cast<std::size_t>(TestTruth::unknown)] &&
                          !choice[static_cast<std::size_t>(TestTruth::no)] &&
                          !choice[static_cast<std::size_t>(TestTruth::yes)]);
  }
  counters.lagging += lagging ? 1 : 0;
  counters.unknown += unknown ? 1 : 0;
}

}  // namespace holdfast::oracle
