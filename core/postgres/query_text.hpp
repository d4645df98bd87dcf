// SQL text made from values: identifiers, literals, the query of a shape. Pure; the same text goes
// to a real server and to the model that checks it (design.md §4).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/postgres/catalog.hpp"

namespace holdfast::postgres {

/// Always between double quotes, so that no name is a keyword or folded: we"ird gives "we""ird".
std::string quote_identifier(std::string_view name);
/// "schema"."table"
std::string quote_relation(const RelationName& name);
/// Safe whatever standard_conforming_strings is: a text with a backslash becomes E'…'.
std::string quote_literal(std::string_view text);

/// SELECT of columns in this order, all rows that satisfy `condition` (empty: all). Columns are not
/// cast: in the text format each cell is then what its type's output function prints, which is what
/// the stream carries. A cast to text differs for bool, inet and char(n) (where-clauses.md §15.4),
/// and would give one row two keys. REQUIRES: at least one column.
std::string shape_query_text(const RelationName& table, std::span<const std::string> columns,
                             std::string_view condition);

}  // namespace holdfast::postgres
