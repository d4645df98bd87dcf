// Whether a table as the stream now describes it still fits a shape (engine.md L-12, I-63, I-64).
#pragma once

#include "core/postgres/stream.hpp"
#include "core/shape/definition.hpp"

namespace holdfast::stack {

/// True if the shape must end: its table changed name or identity, it selects all columns and any
/// differs, or a column that it selects or reads is gone or has another type.
bool affects(const postgres::StreamRelation& relation, const shape::Definition& definition);

/// Whether the stream tells of the table as the catalogue had it, as far as the stream tells.
bool describes(const postgres::StreamRelation& relation, const postgres::RelationInfo& info);

/// Whether the catalogue's table is still the one that the shape was made of: the same table under
/// the same name, with the same key, and whatever the shape selects or reads as it was. A column
/// may have become NOT NULL, but not nullable: the official client keeps the schema that it was
/// told first, and ends at a NULL where that has none.
bool fits(const postgres::RelationInfo& now, const shape::Definition& definition);

/// For each column of the definition's table, its position in the stream's tuples. nullopt: the
/// positions are equal, which is the rule. A column the stream no longer has, and the shape does
/// not need, is position k_absent.
inline constexpr std::uint16_t k_absent = 0xffff;
std::optional<std::vector<std::uint16_t>> column_mapping(const postgres::StreamRelation& relation,
                                                         const shape::Definition& definition);

/// The change with its tuples in the definition's columns.
postgres::Change remap(const postgres::Change& change, const std::vector<std::uint16_t>& mapping);

}  // namespace holdfast::stack
