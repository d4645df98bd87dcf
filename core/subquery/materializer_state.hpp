// The result of one subquery, kept up to date from the log of its inner shape (engine.md §3.3):
// which row has which link value, how many rows have each value, and which values enter or leave
// with a commit. Inserting a known key or changing an unknown one is a broken invariant. A value;
// its owner is the materializer of an inner shape and a choice of link columns.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/shape/log_item.hpp"
#include "core/subquery/rules.hpp"
#include "core/subquery/state_delta.hpp"
#include "core/subquery/value_set.hpp"

namespace holdfast::subquery {

/// One step of an inner shape's log. A change of a row's key is an erase and an insert.
struct InnerChange {
  enum class Kind : std::uint8_t { insert, update, erase, move_in, move_out };
  Kind kind = Kind::insert;
  std::string key;        ///< of the row, packed
  std::string value;      ///< insert, update: the packed link value
  shape::RowMarks marks;  ///< insert, update, if the inner shape itself has subqueries
  std::vector<shape::MovePattern> patterns;  ///< of moves
};

/// What one commit of the inner shape did to the result: net of what cancels.
struct Moves {
  std::vector<std::string> ins;
  std::vector<std::string> outs;
  std::vector<std::uint64_t> txids;  ///< advisory; none from a nested dependency
  bool empty() const { return ins.empty() && outs.empty(); }
};

class MaterializerState {
 public:
  /// `inner_plan`: of an inner shape with subqueries; must outlive this. `unique_keys`: the table
  /// has a primary key; without one a row is its own key, and may be there several times.
  explicit MaterializerState(const where::Plan* inner_plan = nullptr, Rules rules = {},
                             bool unique_keys = true)
      : plan_(inner_plan), rules_(rules), unique_keys_(unique_keys) {}

  void apply(const InnerChange& change);
  /// Ends a commit: what it changed. Until then values() does not move.
  Moves commit(std::vector<std::uint64_t> txids);

  const ValueSet& values() const { return values_; }
  /// How many rows have the value.
  std::uint64_t count(const std::string& value) const;
  std::size_t rows() const { return rows_.size(); }

  /// The rows that have changed since the last call. Between commits.
  std::vector<StateDelta> take_changes();
  /// `entries` of other spaces are ignored.
  static Result<MaterializerState> restore(const std::vector<StateDelta>& entries,
                                           const where::Plan* inner_plan = nullptr,
                                           Rules rules = {}, bool unique_keys = true);

 private:
  struct Row {
    std::string value;
    shape::RowMarks marks;
    std::uint64_t copies = 1;
  };
  using Rows = std::map<std::string, Row>;

  void add(const std::string& key, Row row);
  /// One copy of it.
  void remove(Rows::iterator row);
  void move(const InnerChange& change);
  void count_up(const std::string& value);
  void count_down(const std::string& value);

  const where::Plan* plan_;
  Rules rules_;
  bool unique_keys_;
  Rows rows_;
  std::map<std::string, std::uint64_t> counts_;
  std::map<shape::MovePattern, std::set<std::string>> keys_by_pattern_;
  ValueSet values_;
  std::map<std::string, bool> touched_;  ///< since the last commit: whether it was there before
  std::set<std::string> changed_rows_;   ///< keys, since the last take_changes()
  Moves raw_;                            ///< without the rule: every step
};

/// Appends what a change of an inner shape means for the result over `link` columns. Marks as for
/// append_marked_change; `old_in` and `new_in` decide alone for a plain inner shape. Tuples have
/// the definition's columns.
void append_inner_changes(std::vector<InnerChange>& out, const shape::Definition& inner,
                          const std::vector<std::uint16_t>& link, const postgres::Change& change,
                          bool old_in, bool new_in, const shape::RowMarks* new_marks);
/// A row of the inner shape that a query returned.
InnerChange inner_row(const shape::Definition& inner, const std::vector<std::uint16_t>& link,
                      const postgres::Tuple& tuple, const shape::RowMarks* marks);

}  // namespace holdfast::subquery
