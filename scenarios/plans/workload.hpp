// Generators of the workload: tables, rows, where clauses, transactions. Favour edges: NULL, empty,
// twice, the same key again, many changes of one row in one transaction.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oracle/shape_spec.hpp"
#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// Table number `index`: id, v, name, flag, score, at.
sim::postgres::TableDefinition make_table(unsigned index);
sim::postgres::Statement make_insert(const sim::postgres::TableDefinition& table, std::uint64_t key,
                                     const Draws& draws);
/// An insert, update (also of the key) or delete on one of `keys` rows.
sim::postgres::Statement make_mutation(const sim::postgres::TableDefinition& table,
                                       std::uint64_t keys, const Draws& draws);
/// What deletes the row that the statement would collide with, an inserted or a moved one; nullopt:
/// it collides with none. Big transactions need it: one failed statement undoes them whole.
std::optional<sim::postgres::Statement> make_room_for(const sim::postgres::Statement& statement);
/// The statements, each after what makes room for it.
std::vector<sim::postgres::Statement> with_room(std::vector<sim::postgres::Statement> statements);
/// Which keys each table has if a plan's transactions run one after the other, as most do. Writers
/// work at the same time, so that this is a guess: what fails in spite of it is rare, not
/// impossible.
class ExpectedKeys {
 public:
  void apply(const sim::postgres::Statement& statement);
  /// Whether the statement meets a key that is present, so that its transaction rolls back.
  bool collides(const sim::postgres::Statement& statement) const;
  /// `drawn`, moved to the next of `keys` keys that it has an effect on and does not collide with.
  sim::postgres::Statement aim(sim::postgres::Statement drawn, std::uint64_t keys) const;

 private:
  std::optional<std::uint64_t> next(const std::string& table, std::uint64_t from,
                                    std::uint64_t keys, bool present) const;
  std::set<std::pair<std::string, std::string>> present_;  ///< (table, key)
};

/// nullptr: the table has none of this name.
const sim::postgres::Column* find_column(const sim::postgres::TableDefinition& table,
                                         std::string_view name);
/// One transaction, flushed and visible at once. REQUIRES: nothing stops its statements.
sim::postgres::CommitResult commit_at_once(sim::postgres::PostgresModel& postgres,
                                           const std::vector<sim::postgres::Statement>& statements);
/// What a run writes when the workload is over, in one transaction that no lock can stop: a row
/// into every table, so that every shape's position must pass it. Where tables refer to each other,
/// these rows do.
std::vector<sim::postgres::Statement> final_rows(const Plan& plan);
/// A clause over the columns of make_table(); empty for "all rows".
std::string make_where(const Draws& draws);
/// A clause that tells unknown from false: what the engine's three-valued logic gets wrong shows.
std::string make_unknown_where(const Draws& draws);
/// What a spec knows of its table's columns.
void describe_columns(oracle::ShapeSpec& spec, const sim::postgres::TableDefinition& table);
oracle::ShapeSpec make_spec(const sim::postgres::TableDefinition& table, std::string name,
                            const Draws& draws);

}  // namespace holdfast::scenarios
