// A small table and ways to build definitions and changes on it, for the tests of shapes and
// routing.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/postgres/stream.hpp"
#include "core/shape/definition.hpp"

namespace holdfast::shape::test {

inline postgres::ColumnInfo make_column(const char* name, std::uint32_t oid, const char* type,
                                        std::uint16_t key_position = 0) {
  postgres::ColumnInfo column;
  column.name = name;
  column.type = {oid};
  column.type_name = type;
  column.key_position = key_position;
  column.not_null = key_position > 0;
  return column;
}

/// items(id int8 primary key, title text, done bool, prio int4)
inline postgres::RelationInfo items() {
  postgres::RelationInfo relation;
  relation.oid = {16384};
  relation.name = {"public", "items"};
  relation.columns = {make_column("id", 20, "int8", 1), make_column("title", 25, "text"),
                      make_column("done", 16, "bool"), make_column("prio", 23, "int4")};
  return relation;
}

inline Definition define(const postgres::RelationInfo& relation, DefinitionRequest request = {}) {
  request.table = relation.name;
  auto definition = Definition::resolve(request, relation);
  EXPECT_TRUE(definition.ok()) << (definition.ok() ? "" : definition.error().message);
  return std::move(definition).value();
}

inline Definition with_where(const std::string& where, Replica replica = Replica::only_changes) {
  return define(items(),
                {.table = {}, .columns = {}, .where = where, .parameters = {}, .replica = replica});
}

inline postgres::Tuple tuple(const std::vector<const char*>& cells) {
  postgres::Tuple made;
  for (const char* cell : cells)
    made.push_back(cell == nullptr ? std::nullopt : std::optional<std::string_view>(cell));
  return made;
}

inline postgres::Change insertion(const std::vector<const char*>& cells, std::uint64_t op = 0) {
  postgres::Change change;
  change.kind = postgres::ChangeKind::insert;
  change.new_tuple = tuple(cells);
  change.op = op;
  return change;
}

inline postgres::Change deletion(const std::vector<const char*>& cells, std::uint64_t op = 0) {
  postgres::Change change;
  change.kind = postgres::ChangeKind::erase;
  change.old_tuple = tuple(cells);
  change.op = op;
  return change;
}

inline postgres::Change update(const std::vector<const char*>& before,
                               const std::vector<const char*>& after, std::uint64_t op = 0) {
  postgres::Change change;
  change.kind = postgres::ChangeKind::update;
  change.old_tuple = tuple(before);
  change.new_tuple = tuple(after);
  change.op = op;
  return change;
}

}  // namespace holdfast::shape::test
