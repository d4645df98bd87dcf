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

namespace holdfast::shape {

/// One encoded change. Ends with `}}`: serving it with the `last` header means inserting
/// `,"last":true` before those two bytes.
struct LogItem {
  protocol::LogOffset offset;
  std::string json;
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

/// Whether a tuple is in the shape: no condition, or it is true.
bool contains(const Definition& definition, const postgres::Tuple& tuple);

/// Two definitions with equal encodings turn one change into the same items whenever the condition
/// has the same truth on its tuples: what lets shapes share an encoded change.
Hash128 encoding_key(const Definition& definition);

}  // namespace holdfast::shape
