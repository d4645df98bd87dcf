// The read model of one live shape: what requests see without a message. Rows of the table
// `shape_meta`, owned and written by ShapeStatusOwner alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/postgres/lsn.hpp"
#include "core/protocol/offset.hpp"
#include "core/shape/definition.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

struct ShapeMeta {
  protocol::ShapeHandle handle;
  std::shared_ptr<const shape::Definition> definition;
  storage::ShapeRole role = storage::ShapeRole::served;
  /// Of an inner shape: the columns whose values are its result.
  std::vector<std::uint16_t> link = {};
  std::vector<protocol::ShapeHandle> inners = {};  ///< of its subqueries, by dependency
  bool snapshot_complete = false;
  postgres::Snapshot snapshot;  ///< once complete
  protocol::LogOffset head;     ///< visible head; 0_inf until the first change
  std::uint32_t snapshot_chunks = 0;
  /// Commit LSN of the first transaction that the log does not have yet, though it was processed:
  /// markers stay below it (I-58). 0: none.
  postgres::Lsn waiting_from;
  std::string quarantine;  ///< why its input is set aside; empty: it is not
  /// Its removal is being made durable, so the store says whether the shape still lives.
  bool ending = false;

  /// Whether it keeps state beside its log: it has subqueries, or is what one selects.
  bool has_state() const { return role == storage::ShapeRole::inner || !inners.empty(); }
};

/// The shape and the inner shapes of its subqueries, to be made together. An inner shape is the
/// same for all who refer to it with the same link columns.
storage::NewShape family_of(const shape::Definition& definition);

/// `known`: the definition, where it was read before. REQUIRES: else the stored one is readable;
/// the store checks its checksum.
ShapeMeta shape_meta_from(const storage::ShapeRecord& record,
                          std::shared_ptr<const shape::Definition> known = nullptr);
/// How far the shape is: everything of a row that changes.
void set_progress(ShapeMeta& meta, const storage::ShapeRecord& record);

/// The single row of the table `lsn_tracker` (engine.md L-10).
struct LsnRow {
  /// Every commit up to here that concerns any shape is visible to readers (I-22).
  postgres::Lsn processed;
};

}  // namespace holdfast::stack
