// The simulated server's catalogue: tables, their columns, identities and publications. A table's
// description is immutable; DDL makes a new version. WAL records keep the version they were written
// under, which is what Postgres' historic catalogue snapshots amount to.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/postgres/catalog.hpp"
#include "core/postgres/lsn.hpp"
#include "sim/postgres/values/value.hpp"

namespace holdfast::sim::postgres {

using holdfast::postgres::FullXid;
using holdfast::postgres::Oid;
using holdfast::postgres::RelationName;

struct Column {
  std::string name;
  TypeId type = TypeId::text;
  bool not_null = false;
  std::uint16_t key_position = 0;  ///< 0: not in the primary key; else 1 + position in it
  std::uint16_t slot = 0;          ///< where row cells keep it; never reused after a DROP COLUMN
  std::uint16_t number = 0;        ///< attnum: 1, 2, …, never used again
  bool operator==(const Column&) const = default;
};

/// What create_table takes: columns in order, the primary key by key_position.
struct TableDefinition {
  RelationName name;
  std::vector<Column> columns;
  bool operator==(const TableDefinition&) const = default;
};

enum class ReplicaIdentity : char { by_default = 'd', full = 'f', nothing = 'n' };

/// How the catalogue describes a table between two DDL statements.
struct TableVersion {
  Oid oid;
  RelationName name;
  std::vector<Column> columns;
  std::vector<std::uint16_t> key;  ///< positions in `columns` of the primary key, in key order
  ReplicaIdentity identity = ReplicaIdentity::by_default;
  std::map<std::string, FullXid> publications;  ///< with who added the table
  bool readable = true;                         ///< by the engine's role

  /// Position in `columns`, or -1.
  int find_column(std::string_view column) const;
  holdfast::postgres::RelationInfo to_info() const;
};

using TableVersionRef = std::shared_ptr<const TableVersion>;

/// Computes `key` and gives slots to columns that have none assigned by an earlier version.
TableVersion make_table(TableDefinition definition, Oid oid);

}  // namespace holdfast::sim::postgres
