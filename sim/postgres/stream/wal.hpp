// The write-ahead log as positions plus the records that logical decoding reads: commits and
// catalogue changes. Positions grow as in Postgres: 8-byte aligned records, a header on each 8 KiB
// page. What is not flushed is not streamed, and a crash takes it.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/postgres/lsn.hpp"
#include "sim/postgres/storage/transactions.hpp"

namespace holdfast::sim::postgres {

struct WalSpan {
  Lsn start;
  Lsn end;  ///< where the next record (or its page's header) begins
};

/// A record that decoding acts on when it reaches it.
struct DecodedRecord {
  WalSpan span;
  const Transaction* transaction = nullptr;  ///< nullptr: a catalogue change
  Oid invalidated;                           ///< catalogue change: its table; 0: all tables
};

class Wal {
 public:
  explicit Wal(Lsn start);

  /// A record with this payload; the header is added. Nothing is durable yet.
  WalSpan append(std::size_t payload_bytes);
  void append_commit(Transaction& transaction);
  void append_catalog_change(Oid table);
  void flush() { flushed_ = end_; }
  /// Forgets what was not flushed.
  void crash();

  /// pg_current_wal_insert_lsn(): where the next record starts.
  Lsn insert_position() const;
  Lsn end() const { return end_; }
  Lsn flushed() const { return flushed_; }
  const std::deque<DecodedRecord>& records() const { return records_; }
  /// Catalogue changes, committed TRUNCATEs among them, whose records lie between the two
  /// positions, in order.
  std::span<const DecodedRecord> catalog_changes(Lsn after, Lsn before) const;

 private:
  Lsn end_;
  Lsn flushed_;
  std::deque<DecodedRecord> records_;
  std::vector<DecodedRecord> catalog_changes_;
};

}  // namespace holdfast::sim::postgres
