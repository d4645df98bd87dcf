// The types a where clause can compute with, and Postgres' rules about them: names, categories,
// implicit casts. Values only. A column of any other type is `opaque`: it can only be tested for
// NULL.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/postgres/catalog.hpp"

namespace holdfast::where {

enum class Type : std::uint8_t {
  unknown,  ///< a string literal or NULL that no context has typed yet
  opaque,
  boolean,
  int2,
  int4,
  int8,
  float4,
  float8,
  numeric,
  text,
  varchar,
  bpchar,
  uuid,
  date,
  timestamp,
  timestamptz,
};

enum class Category : std::uint8_t { none, boolean, numeric, string, datetime, user };

/// The type of a column; arrays and everything unlisted are opaque.
Type type_of_column(const postgres::ColumnInfo& column);
Type type_of_oid(postgres::Oid oid);
/// By pg_type.typname, as the grammar resolves aliases ("int4", never "integer").
std::optional<Type> type_by_name(std::string_view typname);
/// pg_type.typname; "unknown" and "opaque" for the two that are no types.
std::string_view type_name(Type type);
Category category(Type type);

inline bool is_integer(Type t) {
  return t == Type::int2 || t == Type::int4 || t == Type::int8;
}
inline bool is_float(Type t) {
  return t == Type::float4 || t == Type::float8;
}
inline bool is_string(Type t) {
  return t == Type::text || t == Type::varchar || t == Type::bpchar;
}

/// Whether Postgres (minus the casts of where-clauses.md §7.2 that need a time zone) casts without
/// being asked. True for equal types and for unknown.
bool casts_implicitly(Type from, Type to);

}  // namespace holdfast::where
