// The tables that single rules of subqueries are shown with.
#pragma once

#include <cstdint>

#include "core/postgres/catalog.hpp"

namespace holdfast::subquery {

/// Of the columns "id", its key, and `second`, both of one type.
inline postgres::RelationInfo two_columns(const char* name, std::uint32_t oid, const char* second,
                                          postgres::Oid type, const char* type_name) {
  const auto column = [&](const char* column_name) {
    postgres::ColumnInfo made;
    made.name = column_name;
    made.type = type;
    made.type_name = type_name;
    return made;
  };
  postgres::RelationInfo made;
  made.oid = {oid};
  made.name = {"public", name};
  made.columns = {column("id"), column(second)};
  made.columns.front().key_position = 1;
  return made;
}

}  // namespace holdfast::subquery
