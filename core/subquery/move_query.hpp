// The conditions that cross the seam for an outer shape's queries: its clause with each subquery
// replaced by the values of a view (engine.md §3.5, §3.7). Never the SQL subquery itself: what
// Postgres has in there now is not what the shape's log stands for (F-26). Pure text.
#pragma once

#include <string>

#include "core/shape/definition.hpp"
#include "core/subquery/value_set.hpp"

namespace holdfast::subquery {

/// The clause under the views.
std::string condition_under(const shape::Definition& definition, const Views& views);

/// The rows of the initial snapshot.
std::string snapshot_condition(const shape::Definition& definition, const Views& views);
/// The rows that are in the shape under `after` and are not under `before`. Each side is coalesced:
/// a side that is NULL is no, also under the NOT (F-31).
std::string entering_condition(const shape::Definition& definition, const Views& before,
                               const Views& after);
/// The rows that are in the shape under one of them.
std::string either_condition(const shape::Definition& definition, const Views& before,
                             const Views& after);

}  // namespace holdfast::subquery
