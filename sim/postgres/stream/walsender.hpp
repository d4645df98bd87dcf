// One streaming session's decoder: turns flushed WAL records into CopyData payloads in commit
// order. Owned by a replication session's backend; gone with it, so that the next one starts again
// at the slot's confirmed position and repeats every Relation.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "sim/postgres/stream/wal.hpp"

namespace holdfast::sim::postgres {

class Walsender {
 public:
  /// Transactions whose commit record starts before `start` are skipped (postgres.md §9.4).
  Walsender(const Wal& wal, std::string publication, Lsn start);

  /// Decodes flushed records until something is outgoing or there are none; `mid_keepalives` puts a
  /// keepalive between the messages of each transaction, as a slow decoding does.
  enum class MidKeepalives : std::uint8_t { none, some };
  void decode(std::int64_t clock_us, MidKeepalives mid_keepalives);

  std::deque<std::string>& outgoing() { return outgoing_; }
  /// End of the last decoded record: what a keepalive says.
  Lsn sent() const { return sent_; }
  bool caught_up() const { return sent_ >= wal_.flushed(); }
  /// A change lies where there was no such publication: nothing more can be decoded.
  bool failed() const { return failed_; }

 private:
  void send_transaction(const Transaction& transaction, std::int64_t clock_us,
                        MidKeepalives mid_keepalives);
  /// What this session has cached about a table, as pgoutput's relation cache does: computed at the
  /// first use after an invalidation, under the catalogue of that moment of the log.
  struct Relation {
    bool published = false;
    bool told = false;  ///< since the last invalidation
  };
  Relation& relation(const TableVersion& table);
  void invalidate(Oid table);
  /// Catalogue changes committed between two records of a transaction take effect there.
  void invalidate_between(Lsn after, Lsn before);
  void send_relation(const TableVersion& table, Lsn position, std::int64_t clock_us);
  void send(Lsn position, std::int64_t clock_us, const std::string& message);

  const Wal& wal_;
  std::string publication_;
  Lsn start_;
  Lsn sent_;
  std::size_t next_record_ = 0;
  std::map<Oid, Relation> relations_;
  std::deque<std::string> outgoing_;
  bool failed_ = false;
};

}  // namespace holdfast::sim::postgres
