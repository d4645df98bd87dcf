// The replication stream after decoding: transactions of row changes, as values. Cells view into
// buffers that the transaction keeps alive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/time.hpp"
#include "core/postgres/catalog.hpp"
#include "core/postgres/lsn.hpp"

namespace holdfast::postgres {

/// One row as column texts, in the order of its relation's columns. nullopt is SQL NULL. "Unchanged
/// TOAST" cells have been filled in from the old tuple by the decoder.
using Tuple = std::vector<std::optional<std::string_view>>;

/// A Relation message: how the tuples after it are laid out.
struct StreamRelation {
  struct Column {
    std::string name;
    Oid type;
    std::int32_t type_modifier = -1;
    bool part_of_key = false;
    bool operator==(const Column&) const = default;
  };
  Oid oid;
  RelationName name;
  char replica_identity = 'd';
  std::vector<Column> columns;
  bool operator==(const StreamRelation&) const = default;
};

enum class ChangeKind : std::uint8_t {
  insert,
  update,
  erase,
  truncate,
  /// An update or a delete of which Postgres does not tell the whole old row, since the table's
  /// replica identity is not full (postgres.md §10.1): which rows it concerns is not known.
  partial,
};

struct Change {
  ChangeKind kind = ChangeKind::insert;
  std::shared_ptr<const StreamRelation> relation;
  Tuple old_tuple;       ///< update, erase: complete (REPLICA IDENTITY FULL)
  Tuple new_tuple;       ///< insert, update
  std::uint64_t op = 0;  ///< 0, 2, 4, … over all changes of the transaction (http-api.md §6.4)
};

/// Why a shape that the change may concern ends with it; empty: it does not. A partial change is
/// one of LC-6, a truncate of LC-3.
constexpr std::string_view shape_ending(const Change& change) {
  if (change.kind == ChangeKind::truncate) return "truncate";
  if (change.kind == ChangeKind::partial) return "replica_identity_not_full";
  return {};
}

/// A transaction, or a fragment of one that is too big to be held whole: the fragments come one
/// after the other, with nothing between them but what a lost session's successor repeats.
struct Transaction {
  Xid xid;
  Lsn commit_lsn;                   ///< Begin.finalLSN: the `tx` of every offset in it
  Lsn end_lsn;                      ///< first byte after the commit record: what may be confirmed
  bool ends = true;                 ///< false: more of it follows, and end_lsn is not known yet
  std::int64_t commit_time_us = 0;  ///< microseconds since 2000-01-01 UTC
  std::vector<Change> changes;
  std::vector<std::shared_ptr<const std::string>> buffers;  ///< what the tuples view into
};

/// A keepalive outside a transaction.
struct Keepalive {
  Lsn wal_end;
  bool reply_requested = false;
};

/// A relation whose identity or columns differ from what this session knew, ahead of the changes
/// that use it.
struct RelationChanged {
  std::shared_ptr<const StreamRelation> relation;
  bool altered = false;  ///< this session knew it otherwise
};

using StreamEvent = std::variant<Transaction, Keepalive, RelationChanged>;

}  // namespace holdfast::postgres
