// What a correct engine would tell a client of one shape with subqueries, made naively: after each
// transaction everything is computed anew from the Postgres model, and the difference is told as
// http-api.md §24 says. With a defect it tells something else, as a wrong engine would. Test only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "oracle/client/messages.hpp"
#include "scenarios/model_truth.hpp"

namespace holdfast::scenarios::test {

/// One condition of the clause; `columns`: the left side of a membership test, else none.
struct Literal {
  std::string sql;
  std::vector<std::string> columns;
};

enum class Defect {
  none,
  move_out_lost,
  move_in_lost,
  move_twice,
  pattern_of_another_value,
  rows_of_a_move_lost,
  present_rows_sent_again,
  removed_tags_missing,
  conditions_stale,
  null_is_not_in,
  never_was_so,  ///< a value that the inner rows never had
};

class ReferenceStream {
 public:
  using Disjuncts = std::vector<std::vector<std::size_t>>;  ///< of positions, i.e. literals

  ReferenceStream(ModelTruth& truth, oracle::ShapeSpec spec, std::vector<Literal> literals,
                  Disjuncts disjuncts, Defect defect);

  /// The clause as SQL.
  static std::string clause(const std::vector<Literal>& literals, const Disjuncts& disjuncts);

  std::vector<oracle::Message> snapshot();
  /// Tells what the shape becomes by the inner rows as of `position`.
  /// REQUIRES: since then, and since the last call, only inner tables were written.
  std::vector<oracle::Message> after_inner(std::uint64_t position);
  /// REQUIRES: likewise, the shape's own table only.
  std::vector<oracle::Message> after_outer(std::uint64_t lsn);

 private:
  struct Known {
    oracle::Row cells;
    std::vector<bool> conditions;  ///< by position
  };
  using State = std::map<std::string, Known>;  ///< every row of the table, by key

  State look(std::uint64_t position) const;
  bool included(const std::vector<bool>& conditions) const;
  std::string value(const Known& row, std::size_t position) const;
  std::vector<std::string> tags(const Known& row) const;
  oracle::Message row_message(const std::string& key, const Known& row) const;
  oracle::Message change(const std::string& key, const Known* old_row, const Known* new_row) const;

  ModelTruth& truth_;
  oracle::ShapeSpec spec_;
  std::vector<Literal> literals_;
  Disjuncts disjuncts_;
  Defect defect_;
  State state_;
};

}  // namespace holdfast::scenarios::test
