// What Postgres' input functions make of a literal's text: validated once, when a clause is
// compiled, and rewritten to the form that the type's output function prints. Never sees a row.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/where/value_types.hpp"

namespace holdfast::where {

/// The text as the type would print it (floats, dates and timestamps: as a loader can read it);
/// nullopt: "invalid syntax for type …". REQUIRES: type is neither unknown nor opaque.
std::optional<std::string> read_literal(Type type, std::string_view text);

/// A constant's printed text under an explicit or implicit cast that where-clauses.md §11.1 allows;
/// the outer nullopt: there is no such cast; the inner: it fails for this value.
std::optional<std::optional<std::string>> cast_constant(Type from, Type to, std::string_view text);

}  // namespace holdfast::where
