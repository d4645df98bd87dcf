// What each membership test of one clause said of each left side as history went on: for an oracle
// that judges a reader who knows the rows of the clause's own table as they are, and those of its
// sub-selects as they were some time ago. Each row version is evaluated once under every choice of
// truths. The model outlives it; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/postgres/model.hpp"
#include "sim/postgres/storage/table.hpp"
#include "sim/postgres/where/where_clause.hpp"

namespace holdfast::sim::postgres {

class MembershipHistory {
 public:
  /// A row version of the clause's own table.
  struct Tested {
    RowKey key;                      ///< as PostgresModel::rows() has it
    RowCells cells;                  ///< of `columns`
    std::vector<std::string> lefts;  ///< by test; equal for equal left sides and for no others
    /// Whether the clause chooses the row if test i says t_i, at the index sum of t_i * 3^i.
    std::vector<bool> chosen;
  };

  MembershipHistory(ModelState& state, RelationName table, std::vector<std::string> columns,
                    std::string condition);
  ~MembershipHistory();

  /// Looks at what happened since the last call. false: nothing can be said of this clause now (too
  /// many tests, a missing table, an error).
  bool refresh();
  /// Changes when positions lose their meaning: commits were taken back, or tables are others.
  std::uint64_t epoch() const { return epoch_; }
  std::size_t tests() const { return tests_.size(); }
  /// The versions that `visible` shows, each the same object for ever within an epoch.
  /// REQUIRES: refresh() said true.
  std::vector<const Tested*> rows(const VisibleSet& visible);
  /// The lowest position from `from` on at which the test said `truth` of this left side of a row
  /// from rows(); nullopt: at none yet. A position stands for all transactions up to it, and for
  /// sets of visible ones that have these and others. Of a test whose sub-select has tests of its
  /// own only this is known: yes, never, if no row ever brought the value.
  std::optional<Lsn> earliest(std::size_t test, const std::string& left, Truth truth, Lsn from);

  /// Of a clause with more, 3^n choices are too many.
  static constexpr std::size_t k_most_tests = 5;

 private:
  /// The sub-select's rows, as a set of transactions shows them.
  struct Result {
    Lsn position;
    RowSet rows;
  };
  struct Left {
    std::vector<Value> values;
    std::vector<Truth> prefixes;  ///< by Test::prefixes
    std::vector<Truth> others;    ///< by Test::others
  };
  struct Test {
    bool nested = false;
    std::vector<Result> prefixes;  ///< of {commit <= position}, each until the next
    std::vector<Result> others;    ///< of what snapshots show that is no such set
    RowSet ever;                   ///< nested: every row that may ever have been among them
    std::size_t ever_read = 0;     ///< of how many versions
    std::map<std::string, Left> lefts;
  };

  bool prepare(const Table& table);
  bool evaluate(const Row& row, Tested& tested);
  bool read_ever(std::size_t test);
  bool add_commits();
  bool add_inversions();
  bool add(std::vector<Result>& results, const SubSelect& subselect, Lsn position, Lsn up_to,
           std::uint64_t shown);
  void look(Test& test, Left& left) const;
  const SubSelect& subselect(std::size_t test) const { return condition_->subselects()[test]; }

  ModelState& state_;
  RelationName name_;
  std::vector<std::string> columns_;
  std::string text_;
  std::uint64_t epoch_ = 0;
  std::uint64_t crashes_ = 0;
  TableVersionRef version_;
  std::shared_ptr<const WhereClause> condition_;
  std::vector<std::uint16_t> slots_;
  std::vector<Test> tests_;
  std::vector<std::unique_ptr<Tested>> rows_;  ///< by index of the row version
  Lsn last_commit_;                            ///< that add_commits() has seen
  std::uint64_t last_shown_ = 0;               ///< that add_inversions() has seen
};

}  // namespace holdfast::sim::postgres
