// The write-ahead log as positions plus the records that logical decoding reads: commits and
// catalogue changes. Positions grow as in Postgres: 8-byte aligned records, a header on each 8 KiB
// page. What is not flushed is not streamed, and a crash takes it.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
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
  /// From the end of the log on there is no publication of this name, or one again. REQUIRES: what
  /// was written is flushed.
  void note_publication_dropped(const std::string& publication);
  void note_publication_made(const std::string& publication);
  /// Whether decoding finds it where the log has this position (postgres.md §14.4).
  bool has_publication(const std::string& publication, Lsn at) const;
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
  struct Gap {
    std::string publication;
    Lsn from;
    Lsn to;
  };
  std::vector<Gap> publication_gaps_;
};

}  // namespace holdfast::sim::postgres
