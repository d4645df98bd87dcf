// What the engine knows about a table: oids, columns, types, key. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::postgres {

struct Oid {
  std::uint32_t value = 0;
  auto operator<=>(const Oid&) const = default;
};

struct RelationName {
  std::string schema;
  std::string table;
  auto operator<=>(const RelationName&) const = default;
};

struct ColumnInfo {
  std::string name;
  Oid type;               ///< pg_attribute.atttypid; well-known ones in types.hpp
  std::string type_name;  ///< format_type's base name as the schema header wants it, "int4"
  std::int32_t type_modifier = -1;
  std::uint16_t dimensions = 0;  ///< > 0: an array
  bool not_null = false;
  bool generated = false;
  /// 0: not part of the primary key; else 1 + its position in it.
  std::uint16_t key_position = 0;
  /// pg_attribute.attnum: never used again, so that it tells a column that was dropped and added
  /// from one that stayed. 0: not known.
  std::uint16_t number = 0;
  bool operator==(const ColumnInfo&) const = default;
};

/// One table as the catalogue describes it; columns in attnum order, dropped ones left out.
struct RelationInfo {
  Oid oid;
  RelationName name;
  std::vector<ColumnInfo> columns;
  bool replica_identity_full = false;
  bool operator==(const RelationInfo&) const = default;
};

}  // namespace holdfast::postgres
