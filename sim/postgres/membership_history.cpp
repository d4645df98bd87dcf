#include "sim/postgres/membership_history.hpp"

#include <algorithm>

#include "sim/postgres/reader.hpp"

namespace holdfast::sim::postgres {
namespace {

constexpr std::array<Truth, 3> k_truths = {Truth::no, Truth::yes, Truth::unknown};

std::size_t choices(std::size_t tests) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < tests; ++i) count *= k_truths.size();
  return count;
}

std::vector<Truth> choice(std::size_t number, std::size_t tests) {
  std::vector<Truth> truths(tests);
  for (Truth& truth : truths) {
    truth = k_truths[number % k_truths.size()];
    number /= k_truths.size();
  }
  return truths;
}

bool in_history(const Transaction& transaction) {
  return transaction.state == TransactionState::committed ||
         transaction.state == TransactionState::logged;
}

bool writes(const Transaction& transaction, const RelationName& table) {
  return std::any_of(
      transaction.changes.begin(), transaction.changes.end(), [&](const LoggedChange& change) {
        const auto is_it = [&](const TableVersionRef& one) { return one && one->name == table; };
        return is_it(change.table) ||
               std::any_of(change.truncated.begin(), change.truncated.end(), is_it);
      });
}

std::string key_of(const std::vector<Value>& values) {
  std::string key;
  for (const Value& value : values)
    if (value.null)
      key += "NULL;";
    else
      append_key_part(key, value);
  return key;
}

}  // namespace

MembershipHistory::MembershipHistory(ModelState& state, RelationName table,
                                     std::vector<std::string> columns, std::string condition)
    : state_(state),
      name_(std::move(table)),
      columns_(std::move(columns)),
      text_(std::move(condition)) {}

MembershipHistory::~MembershipHistory() = default;

bool MembershipHistory::prepare(const Table& table) {
  const auto condition = state_.compile(table, text_);
  if (!condition || !*condition || (*condition)->deep()) return false;
  if ((*condition)->subselects().size() > k_most_tests) return false;
  const std::uint64_t crashes = state_.transactions.crashes();
  if (version_ == table.current() && condition_ == *condition && crashes_ == crashes) return true;
  auto slots = find_slots(*table.current(), columns_);
  if (!slots) return false;
  slots_ = std::move(*slots);
  epoch_++;
  crashes_ = crashes;
  version_ = table.current();
  condition_ = *condition;
  rows_.clear();
  tests_.clear();
  last_commit_ = {};
  last_shown_ = 0;
  for (const SubSelect& subselect : condition_->subselects()) {
    Test& test = tests_.emplace_back();
    test.nested = subselect.condition && !subselect.condition->subselects().empty();
    if (!test.nested && !add(test.prefixes, subselect, {}, {}, 0)) return false;
  }
  return true;
}

bool MembershipHistory::refresh() {
  const Table* table = state_.find_table(name_);
  if (table == nullptr || !prepare(*table)) return false;
  if (!add_commits() || !add_inversions()) return false;
  for (std::size_t test = 0; test < tests_.size(); ++test)
    if (tests_[test].nested && !read_ever(test)) return false;
  for (std::size_t i = rows_.size(); i < table->versions().size(); ++i) {
    rows_.push_back(std::make_unique<Tested>());
    if (!evaluate(*table->versions()[i].row, *rows_.back())) {
      rows_.pop_back();
      return false;
    }
  }
  return true;
}

bool MembershipHistory::add(std::vector<Result>& results, const SubSelect& subselect, Lsn position,
                            Lsn up_to, std::uint64_t shown) {
  const auto visible = [&](const Transaction& one) {
    return in_history(one) && (one.commit_lsn <= up_to || (one.shown > 0 && one.shown <= shown));
  };
  auto rows = read_subselect(state_, subselect, visible, TruncatedRows::keep);
  if (!rows) return false;
  results.push_back({position, std::move(*rows)});
  return true;
}

/// One result per commit that writes the sub-select's table, in the order of the log.
bool MembershipHistory::add_commits() {
  std::vector<const Transaction*> commits;
  for (const auto& one : state_.transactions.all())
    if (in_history(*one) && one->commit_lsn > last_commit_) commits.push_back(one.get());
  std::sort(commits.begin(), commits.end(),
            [](const auto* a, const auto* b) { return a->commit_lsn < b->commit_lsn; });
  for (const Transaction* commit : commits) {
    for (std::size_t i = 0; i < tests_.size(); ++i)
      if (!tests_[i].nested && writes(*commit, subselect(i).table) &&
          !add(tests_[i].prefixes, subselect(i), commit->commit_lsn, commit->commit_lsn, 0))
        return false;
    last_commit_ = commit->commit_lsn;
  }
  return true;
}

/// A snapshot shows commits in the order in which they became visible, and a reader who began with
/// one then takes the log in its own: sets {shown before} + {commit <= p} that are no prefixes.
bool MembershipHistory::add_inversions() {
  std::vector<const Transaction*> shown;  // all, by order
  for (const auto& one : state_.transactions.all())
    if (in_history(*one) && one->shown > 0) shown.push_back(one.get());
  std::sort(shown.begin(), shown.end(),
            [](const auto* a, const auto* b) { return a->shown < b->shown; });
  Lsn highest;
  for (const Transaction* last : shown) {
    highest = std::max(highest, last->commit_lsn);
    if (last->shown <= last_shown_) continue;
    last_shown_ = last->shown;
    std::vector<const Transaction*> missing;
    for (const auto& one : state_.transactions.all())
      if (in_history(*one) && one->commit_lsn.value > 0 && one->commit_lsn < highest &&
          (one->shown == 0 || one->shown > last->shown))
        missing.push_back(one.get());
    std::sort(missing.begin(), missing.end(),
              [](const auto* a, const auto* b) { return a->commit_lsn < b->commit_lsn; });
    Lsn up_to;
    for (const Transaction* next : missing) {  // as if the log were read until before this one
      const Lsn position{next->commit_lsn.value - 1};
      for (std::size_t i = 0; i < tests_.size(); ++i)
        if (!tests_[i].nested && !add(tests_[i].others, subselect(i), position, up_to, last->shown))
          return false;
      up_to = next->commit_lsn;
    }
  }
  return true;
}

/// Of a nested test: every row that its condition may have chosen, whatever its own tests said.
bool MembershipHistory::read_ever(std::size_t number) {
  Test& test = tests_[number];
  const SubSelect& inner = subselect(number);
  const Table* table = state_.find_table(inner.table);
  const std::size_t tests = inner.condition->subselects().size();
  if (table == nullptr || tests > k_most_tests) return false;
  for (; test.ever_read < table->versions().size(); ++test.ever_read) {
    const Row& row = *table->versions()[test.ever_read].row;
    for (std::size_t i = 0; i < choices(tests); ++i) {
      const auto chosen = inner.condition->evaluate_if(row, choice(i, tests));
      if (!chosen) return false;
      if (*chosen != Truth::yes) continue;
      test.ever.add(selected_cells(inner, row));
      break;
    }
  }
  return true;
}

bool MembershipHistory::evaluate(const Row& row, Tested& tested) {
  tested.key = key_texts(*version_, row);
  tested.cells = cell_texts(slots_, row);
  for (std::size_t i = 0; i < tests_.size(); ++i) {
    auto left = condition_->left_of_test(i, row);
    if (!left) return false;
    tested.lefts.push_back(key_of(*left));
    tests_[i].lefts[tested.lefts.back()].values = std::move(*left);
  }
  for (std::size_t i = 0; i < choices(tests_.size()); ++i) {
    const auto chosen = condition_->evaluate_if(row, choice(i, tests_.size()));
    if (!chosen) return false;
    tested.chosen.push_back(*chosen == Truth::yes);
  }
  return true;
}

std::vector<const MembershipHistory::Tested*> MembershipHistory::rows(const VisibleSet& visible) {
  const Table* table = state_.find_table(name_);
  ASSERT(table != nullptr && rows_.size() == table->versions().size(),
         "rows are asked for after a refresh that found them");
  std::vector<const Tested*> shown;
  auto tested = rows_.begin();
  for (const RowVersion& version : table->versions()) {
    const Tested* one = (tested++)->get();
    if (!visible.contains(*version.created)) continue;
    if (version.deleted == nullptr || !visible.contains(*version.deleted)) shown.push_back(one);
  }
  return shown;
}

/// What the test says of this left side, for the results that were not looked at yet.
void MembershipHistory::look(Test& test, Left& left) const {
  for (std::size_t i = left.prefixes.size(); i < test.prefixes.size(); ++i)
    left.prefixes.push_back(test.prefixes[i].rows.contains(left.values));
  for (std::size_t i = left.others.size(); i < test.others.size(); ++i)
    left.others.push_back(test.others[i].rows.contains(left.values));
}

std::optional<Lsn> MembershipHistory::earliest(std::size_t number, const std::string& key,
                                               Truth truth, Lsn from) {
  Test& test = tests_[number];
  Left& left = test.lefts.at(key);
  if (test.nested) {
    if (truth == Truth::yes && test.ever.contains(left.values) != Truth::yes) return std::nullopt;
    return from;
  }
  look(test, left);
  std::optional<Lsn> best;
  const auto take = [&](Lsn position) { best = best ? std::min(*best, position) : position; };
  for (std::size_t i = 0; i < test.prefixes.size(); ++i) {
    const bool lasts = i + 1 == test.prefixes.size() || test.prefixes[i + 1].position > from;
    if (left.prefixes[i] == truth && lasts) take(std::max(from, test.prefixes[i].position));
  }
  for (std::size_t i = 0; i < test.others.size(); ++i)
    if (left.others[i] == truth && test.others[i].position >= from) take(test.others[i].position);
  return best;
}

}  // namespace holdfast::sim::postgres
