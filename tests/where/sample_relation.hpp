// One table with a column of every type that a clause can compute with, for the tests of
// core/where.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/where/condition.hpp"

namespace holdfast::where::test {

inline const postgres::RelationInfo& k_relation() {
  static const postgres::RelationInfo relation = [] {
    const std::tuple<const char*, std::uint32_t, const char*> columns[] = {
        {"b", 16, "bool"},         {"i2", 21, "int2"},          {"i4", 23, "int4"},
        {"i8", 20, "int8"},        {"f4", 700, "float4"},       {"f8", 701, "float8"},
        {"n", 1700, "numeric"},    {"t", 25, "text"},           {"v", 1043, "varchar"},
        {"c", 1042, "bpchar"},     {"u", 2950, "uuid"},         {"d", 1082, "date"},
        {"ts", 1114, "timestamp"}, {"tz", 1184, "timestamptz"}, {"j", 3802, "jsonb"}};
    postgres::RelationInfo made;
    made.oid = {16384};
    made.name = {"public", "items"};
    for (const auto& [name, oid, type] : columns) {
      postgres::ColumnInfo column;
      column.name = name;
      column.type = {oid};
      column.type_name = type;
      made.columns.push_back(column);
    }
    return made;
  }();
  return relation;
}

inline std::uint16_t column(const std::string& name) {
  const auto& columns = k_relation().columns;
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
  return static_cast<std::uint16_t>(found - columns.begin());
}

/// A row in which every column that is not given is NULL. The texts must outlive it.
inline postgres::Tuple row(const std::map<std::string, const char*>& cells) {
  postgres::Tuple tuple(k_relation().columns.size());
  for (const auto& [name, text] : cells) tuple[column(name)] = text;
  return tuple;
}

inline Condition compile(const std::string& clause,
                         const std::map<unsigned, std::string>& parameters = {}) {
  auto condition = Condition::compile(clause, parameters, k_relation());
  EXPECT_TRUE(condition.ok()) << clause << ": "
                              << (condition.ok() ? "" : condition.error().message);
  return std::move(condition).value();
}

inline std::string error_of(const std::string& clause,
                            const std::map<unsigned, std::string>& parameters = {}) {
  const auto condition = Condition::compile(clause, parameters, k_relation());
  return condition.ok() ? "accepted as " + condition->canonical_sql() : condition.error().message;
}

}  // namespace holdfast::where::test
