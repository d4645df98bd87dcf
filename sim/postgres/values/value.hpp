// Typed SQL values of the simulated Postgres: reading what the input functions accept, printing
// what the output functions print under the display settings of postgres.md §8.2, comparing as the
// btree operators do (database collation C). Shares nothing with core/where, on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/catalog.hpp"

namespace holdfast::sim::postgres {

enum class TypeId : std::uint8_t {
  boolean,
  int2,
  int4,
  int8,
  float4,
  float8,
  numeric,
  text,
  varchar,
  bpchar,  ///< char(n) without its length: blanks at the end do not count
  uuid,
  date,
  timestamp,
  timestamptz,
  unknown,  ///< a literal whose context has not typed it yet
};

/// Types are ordered families in which values of different types compare.
enum class TypeFamily : std::uint8_t { boolean, number, string, uuid, time, unknown };
TypeFamily family(TypeId type);

holdfast::postgres::Oid oid_of(TypeId type);
/// pg_type.typname: "int4", "timestamptz".
std::string_view name_of(TypeId type);
std::optional<TypeId> type_of_oid(holdfast::postgres::Oid oid);
/// By pg_type.typname or SQL spelling ("integer", "character varying").
std::optional<TypeId> type_of_name(std::string_view name);

struct Value {
  TypeId type = TypeId::unknown;
  bool null = true;
  std::int64_t integer = 0;  ///< boolean, int2/4/8, date (days), timestamps (µs since 2000)
  double real = 0;           ///< float4 (widened), float8
  std::string text;          ///< strings, uuid, unknown; numeric as its canonical text

  static Value null_of(TypeId type) {
    Value value;
    value.type = type;
    return value;
  }
  static Value of_boolean(bool b);
  static Value of_integer(TypeId type, std::int64_t i);
  static Value of_text(TypeId type, std::string text);
};

/// An error as Postgres would raise it.
struct SqlError {
  std::string sqlstate;
  std::string message;
};

template <class T>
using SqlResult = Result<T, SqlError>;

/// The type's input function.
SqlResult<Value> read_value(TypeId type, std::string_view text);
/// The type's output function. REQUIRES: not NULL.
std::string print_value(const Value& value);

/// -1, 0, 1. REQUIRES: both not NULL and of one family.
int compare_values(const Value& a, const Value& b);

/// Without the blanks at its end: what a bpchar is compared and cast by.
std::string_view without_padding(std::string_view text);

/// An explicit cast, including those through text. NULL stays NULL.
SqlResult<Value> cast_value(const Value& value, TypeId to);

}  // namespace holdfast::sim::postgres
