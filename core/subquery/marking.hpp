// The marks of rows under views: hashes of left sides, active conditions (engine.md §3.2, §3.8).
// And the patterns by which readers find the rows that a change of a view concerns. Pure functions
// of definition, handle and views.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/protocol/offset.hpp"
#include "core/shape/definition.hpp"
#include "core/shape/row_marks.hpp"
#include "core/subquery/rules.hpp"
#include "core/subquery/value_set.hpp"

namespace holdfast::subquery {

/// The patterns of one change of one dependency's view. `ins` become true for readers, `outs`
/// false; each hash at one position is in one of them at most.
struct Flips {
  std::vector<shape::MovePattern> ins;
  std::vector<shape::MovePattern> outs;
};

class Marking {
 public:
  /// Without subqueries rows have no marks, and are only in or out.
  Marking(std::shared_ptr<const shape::Definition> definition, const protocol::ShapeHandle& handle,
          Rules rules = {});

  const where::Plan& plan() const { return *definition_->condition()->plan(); }
  const shape::Definition& definition() const { return *definition_; }

  /// The tuple has the definition's columns.
  shape::RowMarks marks(const postgres::Tuple& tuple, const Views& views) const;
  /// The same if the row is in the shape.
  std::optional<shape::RowMarks> marks_if_included(const postgres::Tuple& tuple,
                                                   const Views& views) const;

  /// Whether a change of these values can be told by patterns that follow from the values alone.
  /// Not where a value with a NULL enters or leaves a negated dependency: then every row with
  /// whatever left side may change, and the patterns come from the rows themselves.
  bool patterns_follow(std::size_t dependency, const std::vector<std::string>& values) const;
  /// REQUIRES: patterns_follow().
  Flips flips(std::size_t dependency, const ValueSet& before, const ValueSet& after,
              const std::vector<std::string>& values) const;

 private:
  std::string hash(const where::Position& position, std::string_view packed) const;
  std::string hash_of_row(const where::Position& position, const postgres::Tuple& tuple) const;
  bool active(std::size_t position, const postgres::Tuple& tuple, const Views& views) const;

  std::shared_ptr<const shape::Definition> definition_;
  std::string salt_;
  Rules rules_;
};

/// Columns that a query for rows of the shape must return, ascending: the selected ones and those
/// that the condition reads.
std::vector<std::uint16_t> query_columns(const shape::Definition& definition);

}  // namespace holdfast::subquery
