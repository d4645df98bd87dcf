// Log items: the JSON a reader gets, made from snapshot rows and from stream changes by the same
// code, byte for byte equal keys and values (http-api.md §11, §12; where-clauses.md §15).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/row_batch.hpp"
#include "core/postgres/stream.hpp"
#include "core/protocol/offset.hpp"
#include "core/shape/definition.hpp"
#include "core/shape/row_marks.hpp"

namespace holdfast::shape {

/// One encoded change. Ends with `}}`: serving it with the `last` header means inserting
/// `,"last":true` before those two bytes.
struct LogItem {
  protocol::LogOffset offset;
  std::string json;
  bool injected = false;  ///< of no transaction: it is never served with `last`
};

/// Appends one item for a snapshot row. The batch's columns are the definition's selected() ones.
void append_snapshot_row(std::string& out, const Definition& definition,
                         const postgres::RowBatch& batch, std::size_t row);

/// {"headers":{"control":"snapshot-end","xmin":"…","xmax":"…","xip_list":["…"]}}
void append_snapshot_end(std::string& out, const postgres::Snapshot& snapshot);

/// The items a change becomes for a shape (http-api.md §11.4): none, one, or delete + insert where
/// the key changed. Evaluates the condition on both tuples. Tuples have the definition's columns.
/// REQUIRES: the change is of the definition's table and is no truncate.
void append_change(std::vector<LogItem>& out, const Definition& definition,
                   const postgres::Change& change, postgres::Xid xid, postgres::Lsn commit_lsn);

/// The same for whoever knows already whether the condition holds for the old and the new tuple:
/// what a collector uses to encode a change once for all shapes with one encoding_key. A side that
/// the change does not have is ignored.
void append_encoded(std::vector<LogItem>& out, const Definition& definition,
                    const postgres::Change& change, bool old_in, bool new_in, postgres::Xid xid,
                    postgres::Lsn commit_lsn);

// -- shapes with subqueries (http-api.md §24) ---------------------------------------------------

/// The items of a change for whoever knows the marks of both tuples; nullptr: not in the shape, or
/// the change has no such tuple. An update that changes no selected column is an item only if tags
/// or conditions changed.
void append_marked_change(std::vector<LogItem>& out, const Definition& definition,
                          const postgres::Change& change, const RowMarks* old_marks,
                          const RowMarks* new_marks, postgres::Xid xid, postgres::Lsn commit_lsn);

enum class RowOrigin : std::uint8_t { snapshot, move_in };
/// A row that a query returned, as an insert. The tuple has the definition's columns; those that
/// are neither selected nor read by the condition may be missing (NULL).
void append_marked_row(std::string& out, const Definition& definition, const postgres::Tuple& tuple,
                       const RowMarks& marks, RowOrigin origin);

enum class MoveDirection : std::uint8_t { in, out };
/// {"headers":{"event":"move-in","patterns":[{"pos":0,"value":"…"}],"txids":[…]}}
void append_move_event(std::string& out, MoveDirection direction,
                       const std::vector<MovePattern>& patterns,
                       const std::vector<std::uint64_t>& txids);

/// The offset of an item that the engine itself appends after `last` (http-api.md §6.4).
protocol::LogOffset next_injected(protocol::LogOffset last);

/// Whether a tuple is in the shape: no condition, or it is true. REQUIRES: no subqueries.
bool contains(const Definition& definition, const postgres::Tuple& tuple);

/// Two definitions with equal encodings turn one change into the same items whenever the condition
/// has the same truth on its tuples: what lets shapes share an encoded change.
Hash128 encoding_key(const Definition& definition);

}  // namespace holdfast::shape
