// A where clause, compiled: parsed by Postgres' own grammar, typed against a relation, brought to a
// normal form, evaluated on rows of column texts with three-valued logic. Immutable once made; its
// serialised form is stored so that a boot parses nothing (where-clauses.md §5–11, §14).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/catalog.hpp"
#include "core/postgres/stream.hpp"

namespace holdfast::where {

struct WhereError {
  std::string message;  ///< the sentence of the 400's errors.<field> entry (where-clauses.md §2)
  std::string field = "where";  ///< "params" if their numbering is what is wrong
  /// A subquery reads this table, which was not among the relations given: inspect it, and compile
  /// again with what was found.
  std::optional<postgres::RelationName> missing{};
};

enum class Truth : std::uint8_t { no, yes, unknown };

/// A conjunct `column = constant` that a routing index can serve. `key` is the constant in the form
/// that comparison_key() gives for equal values of the column's type.
struct EqualityKey {
  std::uint16_t column = 0;
  std::string key;
};

/// One distinct `(SELECT link FROM table [WHERE …])` of a clause: a dependency.
struct Subquery {
  postgres::RelationName table;
  std::vector<std::string> link;  ///< in the written order (where-clauses.md §12.4)
  std::string where;              ///< canonical, without parameters; empty: all rows
  std::string canonical_sql;      ///< without the parentheses
  bool operator==(const Subquery&) const = default;
};

/// What a condition with subqueries asks while it is evaluated: the views of its dependencies.
class Memberships {
 public:
  virtual ~Memberships() = default;
  /// SQL's `value IN (result)`; the value is packed (link_value.hpp).
  virtual Truth holds(std::size_t dependency, std::string_view value) const = 0;
};

class Expression;
struct Plan;

/// The tables that subqueries read, as far as they were inspected. One without columns does not
/// exist.
using Relations = std::vector<postgres::RelationInfo>;

class Condition {
 public:
  /// Parameters are $1.. by number. Anything that is not supported is refused, never ignored.
  /// Uses more than a fiber's stack: call it on a Worker, or a thread. Texts nested too deeply are
  /// refused with an error.
  /// Without `subquery_relations` a subquery is refused.
  static Result<Condition, WhereError> compile(std::string_view text,
                                               const std::map<unsigned, std::string>& parameters,
                                               const postgres::RelationInfo& relation,
                                               const Relations* subquery_relations = nullptr);
  static Result<Condition> deserialize(std::string_view bytes);
  std::string serialize() const;

  /// Canonical SQL with constants in place: equal for clauses that http-api.md §7 calls the same,
  /// and valid as the WHERE of a query on the relation.
  const std::string& canonical_sql() const;

  /// Cells in the order of the relation's columns. A cell that does not parse as its column's type,
  /// or an operation that fails (overflow, division by zero), gives `unknown` (where-clauses.md
  /// §9.4).
  /// REQUIRES: no subqueries.
  Truth evaluate(const postgres::Tuple& row) const;
  Truth evaluate(const postgres::Tuple& row, const Memberships& views) const;
  /// One literal of the plan, negated if it is, in three-valued logic (engine.md §3.8).
  Truth evaluate_position(std::size_t position, const postgres::Tuple& row,
                          const Memberships& views) const;

  /// Distinct subqueries in the order of their first mention; none for a plain clause.
  const std::vector<Subquery>& subqueries() const { return subqueries_; }
  /// The disjunctive normal form; nullptr for a plain clause.
  const Plan* plan() const { return plan_.get(); }
  /// The clause with each membership test, in the order of the text, replaced by what `print` makes
  /// of its position in the plan.
  std::string sql_with(const std::function<std::string(std::size_t position)>& print) const;

  /// Columns the clause reads, ascending.
  const std::vector<std::uint16_t>& columns() const;
  /// A top-level conjunct usable by the equality index, if there is one; the most selective by
  /// form.
  const std::optional<EqualityKey>& equality() const;

 private:
  std::shared_ptr<const Expression> root_;
  std::string canonical_sql_;
  std::vector<std::uint16_t> columns_;
  std::optional<EqualityKey> equality_;
  std::vector<Subquery> subqueries_;
  std::vector<std::string> pieces_;  ///< the canonical text around its membership tests
  std::shared_ptr<const Plan> plan_;
};

/// The text under which equal values of a type compare equal byte for byte ("007" and "7" as int4);
/// nullopt if the cell does not parse as the type.
std::optional<std::string> comparison_key(postgres::Oid type, std::string_view cell);
/// The same, appended to a buffer that a hot path reuses. False: the cell does not parse.
bool append_comparison_key(std::string& out, postgres::Oid type, std::string_view cell);

}  // namespace holdfast::where
