#include "core/where/value_types.hpp"

#include <array>
#include <string>

namespace holdfast::where {
namespace {

struct TypeFact {
  Type type;
  std::uint32_t oid;
  std::string_view name;
  Category category;
};

constexpr std::array k_facts = {
    TypeFact{Type::boolean, 16, "bool", Category::boolean},
    TypeFact{Type::int2, 21, "int2", Category::numeric},
    TypeFact{Type::int4, 23, "int4", Category::numeric},
    TypeFact{Type::int8, 20, "int8", Category::numeric},
    TypeFact{Type::float4, 700, "float4", Category::numeric},
    TypeFact{Type::float8, 701, "float8", Category::numeric},
    TypeFact{Type::numeric, 1700, "numeric", Category::numeric},
    TypeFact{Type::text, 25, "text", Category::string},
    TypeFact{Type::varchar, 1043, "varchar", Category::string},
    TypeFact{Type::bpchar, 1042, "bpchar", Category::string},
    TypeFact{Type::uuid, 2950, "uuid", Category::user},
    TypeFact{Type::date, 1082, "date", Category::datetime},
    TypeFact{Type::timestamp, 1114, "timestamp", Category::datetime},
    TypeFact{Type::timestamptz, 1184, "timestamptz", Category::datetime},
};

/// Position on the one-way ladder int2 → int4 → int8 → numeric → float4 → float8; 0: not a number.
int numeric_rank(Type type) {
  switch (type) {
    case Type::int2:
      return 1;
    case Type::int4:
      return 2;
    case Type::int8:
      return 3;
    case Type::numeric:
      return 4;
    case Type::float4:
      return 5;
    case Type::float8:
      return 6;
    case Type::unknown:
    case Type::opaque:
    case Type::boolean:
    case Type::text:
    case Type::varchar:
    case Type::bpchar:
    case Type::uuid:
    case Type::date:
    case Type::timestamp:
    case Type::timestamptz:
      return 0;
  }
  return 0;
}

}  // namespace

Type type_of_oid(postgres::Oid oid) {
  for (const TypeFact& fact : k_facts)
    if (fact.oid == oid.value) return fact.type;
  return Type::opaque;
}

Type type_of_column(const postgres::ColumnInfo& column) {
  return column.dimensions > 0 ? Type::opaque : type_of_oid(column.type);
}

std::optional<Type> type_by_name(std::string_view typname) {
  for (const TypeFact& fact : k_facts)
    if (fact.name == typname) return fact.type;
  return std::nullopt;
}

std::string_view type_name(Type type) {
  for (const TypeFact& fact : k_facts)
    if (fact.type == type) return fact.name;
  return type == Type::unknown ? "unknown" : "opaque";
}

Category category(Type type) {
  for (const TypeFact& fact : k_facts)
    if (fact.type == type) return fact.category;
  return Category::none;
}

bool casts_implicitly(Type from, Type to) {
  if (from == to || from == Type::unknown) return true;
  if (numeric_rank(from) > 0) return numeric_rank(to) > numeric_rank(from);
  if (is_string(from)) return is_string(to);
  return from == Type::date && to == Type::timestamp;
}

}  // namespace holdfast::where
