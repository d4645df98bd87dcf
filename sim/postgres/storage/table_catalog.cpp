#include "sim/postgres/storage/table_catalog.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {

int TableVersion::find_column(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == column) return static_cast<int>(i);
  return -1;
}

holdfast::postgres::RelationInfo TableVersion::to_info() const {
  holdfast::postgres::RelationInfo info;
  info.oid = oid;
  info.name = name;
  info.replica_identity_full = identity == ReplicaIdentity::full;
  for (const Column& column : columns) {
    holdfast::postgres::ColumnInfo one;
    one.name = column.name;
    one.type = oid_of(column.type);
    one.type_name = std::string(name_of(column.type));
    one.not_null = column.not_null || column.key_position != 0;
    one.key_position = column.key_position;
    one.number = column.number;
    info.columns.push_back(std::move(one));
  }
  return info;
}

TableVersion make_table(TableDefinition definition, Oid oid) {
  TableVersion table;
  table.oid = oid;
  table.name = std::move(definition.name);
  table.columns = std::move(definition.columns);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    Column& column = table.columns[i];
    column.slot = static_cast<std::uint16_t>(i);
    column.number = static_cast<std::uint16_t>(i + 1);
    if (column.key_position == 0) continue;
    if (table.key.size() < column.key_position) table.key.resize(column.key_position, UINT16_MAX);
    table.key[column.key_position - 1U] = static_cast<std::uint16_t>(i);
  }
  ASSERT(std::find(table.key.begin(), table.key.end(), UINT16_MAX) == table.key.end(),
         "key positions are 1, 2, … without gaps");
  return table;
}

}  // namespace holdfast::sim::postgres
