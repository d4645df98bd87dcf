// Postgres as the engine sees it. Production implements this with libpq (core/production/libpq*),
// the simulator with its Postgres model (sim/postgres), which produces genuine pgoutput bytes.
// Every call is made on a process's fiber and SUSPENDS; killing the process abandons the call and
// closes the session. Sessions are closed by their destructors, which do not suspend.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/postgres/catalog.hpp"
#include "core/postgres/lsn.hpp"
#include "core/postgres/row_batch.hpp"

namespace holdfast::env {

/// Classes of failure the engine branches on (postgres.md §6). `sqlstate` is for people and logs.
enum class DatabaseFailure : std::uint8_t {
  connection,        ///< cannot connect, or the connection broke: retry with backoff
  timeout,           ///< the call's own deadline passed
  authentication,    ///< wrong password, no such role or database: fatal
  privilege,         ///< insufficient privilege (42501)
  configuration,     ///< wal_level is not logical, no free slot, …: fatal with the message
  slot_invalidated,  ///< the slot is gone or its WAL was removed: needs a purge
  slot_active,       ///< another session streams from the slot (55006): retry
  lock_timeout,      ///< 55P03, or a statement was cancelled while it waited for a lock
  undefined_object,  ///< table, column or schema does not exist (42P01, 42703, 3F000)
  no_publication,    ///< the publication itself is gone; another session makes it
  not_published,     ///< its publication or identity is not as it must be, nor ours to change
  query,             ///< any other error of a query: its data or its text
};

struct DatabaseError {
  DatabaseFailure kind = DatabaseFailure::connection;
  std::string sqlstate;
  std::string message;
};

template <class T>
using DatabaseResult = Result<T, DatabaseError>;

struct SystemIdentity {
  std::string system_identifier;
  std::uint32_t timeline = 1;
  bool operator==(const SystemIdentity&) const = default;
};

struct ServerSettings {
  std::uint32_t version_number = 0;  ///< 150018 for 15.18
  Duration wal_sender_timeout{};     ///< zero: none
};

struct SlotState {
  bool created = false;           ///< it did not exist and was created by this call
  postgres::Lsn confirmed_flush;  ///< streaming starts here
};

/// One replication session: the walsender side. Calls in this order: identify_system, settings,
/// acquire_lock, ensure_publication, ensure_slot, start_streaming, then receive and send_status.
class ReplicationSession {
 public:
  virtual ~ReplicationSession() = default;
  virtual DatabaseResult<SystemIdentity> identify_system() = 0;
  virtual DatabaseResult<ServerSettings> settings() = 0;
  /// pg_advisory_lock(hashtext(name)): returns once the lock is held by this session.
  virtual DatabaseResult<void> acquire_lock(const std::string& name) = 0;
  /// Creates the publication (empty, all operations) unless it exists; true: created now.
  virtual DatabaseResult<bool> ensure_publication(const std::string& publication) = 0;
  /// Only before ensure_slot: the slot is of no use. One that is not there, or is somebody else's,
  /// is left alone.
  virtual DatabaseResult<void> drop_slot(const std::string& slot) = 0;
  virtual DatabaseResult<SlotState> ensure_slot(const std::string& slot) = 0;
  /// START_REPLICATION <slot> 0/0, protocol 1; also applies the five display settings of
  /// postgres.md §8.2 to the session.
  virtual DatabaseResult<void> start_streaming(const std::string& slot,
                                               const std::string& publication) = 0;
  /// The next payloads of CopyData ('w' or 'k' with their headers, postgres.md §9.1) in order: at
  /// least one, at most 500; empty when `deadline` passed without any.
  virtual DatabaseResult<std::vector<std::string>> receive(Instant deadline) = 0;
  /// Sends 'r': received and flushed are *first bytes not yet safe* (postgres.md §9.4).
  virtual DatabaseResult<void> send_status(postgres::Lsn received, postgres::Lsn flushed) = 0;
};

/// A shape query as a value: SELECT columns FROM table [WHERE condition], no order.
struct ShapeQuery {
  postgres::RelationName table;
  /// Unquoted names. A cell is what the type's output function prints, as in the stream: a cast to
  /// text would differ for bool, inet and char(n) (where-clauses.md §15.4).
  std::vector<std::string> columns;
  std::string condition;  ///< canonical SQL without placeholders; empty: all rows
};

/// A READ ONLY REPEATABLE READ transaction whose snapshot is known. Ends with its destructor.
class SnapshotRead {
 public:
  virtual ~SnapshotRead() = default;
  virtual const postgres::Snapshot& snapshot() const = 0;
  /// The table as it is under the lock: nobody changes it before this read ends.
  virtual const postgres::RelationInfo& relation() const = 0;
  virtual DatabaseResult<void> start(const ShapeQuery& query) = 0;
  /// The next rows of the started query; an empty batch ends it.
  virtual DatabaseResult<postgres::RowBatch> next() = 0;
  /// Returns once no crash of the server can take back what the snapshot saw: asynchronous commits
  /// are visible before they are on disk. An error: the server may have crashed since the snapshot.
  /// The last call: the transaction may have ended with it.
  virtual DatabaseResult<void> outlast_crashes() = 0;
};

enum class PublishOutcome : std::uint8_t { published, already_published };

/// A table's part in a publication that somebody else keeps.
enum class PublicationState : std::uint8_t { complete, not_a_member, identity_not_full };

struct PublishedTable {
  postgres::RelationName name;
  postgres::Oid oid;
  /// The last that put it there, or changed the publication: whoever's snapshot does not see it may
  /// miss changes.
  /// nullopt: too long ago for its number to tell.
  std::optional<postgres::Xid> added_by;
};

/// An ordinary session of the admin or snapshot pool.
class QuerySession {
 public:
  virtual ~QuerySession() = default;
  /// nullopt: no such table. Partitions, views and system tables are `undefined_object` errors.
  virtual DatabaseResult<std::optional<postgres::RelationInfo>> inspect(
      const postgres::RelationName& name) = 0;
  /// Adds the table to the publication and sets REPLICA IDENTITY FULL, both committed on return.
  virtual DatabaseResult<PublishOutcome> publish(const std::string& publication,
                                                 const postgres::RelationName& table) = 0;
  /// Does nothing if another table has its name by now, or if no replication session of this
  /// process holds the lock of `slot`: its successor knows better what is to be published.
  virtual DatabaseResult<void> unpublish(const std::string& publication,
                                         const PublishedTable& table, const std::string& slot) = 0;
  /// Changes nothing. If all is as publish() would leave it, returns when whoever was writing to
  /// the table has ended: what was written before the table was published is never streamed.
  virtual DatabaseResult<PublicationState> verify_published(
      const std::string& publication, const postgres::RelationName& table) = 0;
  /// By name; empty: there may be no such publication.
  virtual DatabaseResult<std::vector<PublishedTable>> published(const std::string& publication) = 0;
  /// Begins the transaction, shares the table's lock until its end, and fixes its snapshot, in this
  /// order: a TRUNCATE that commits between snapshot and query would empty the table for both
  /// (postgres.md §18.1). Display settings are SET LOCAL. The session must outlive what is
  /// returned.
  virtual DatabaseResult<std::unique_ptr<SnapshotRead>> begin_snapshot(
      const postgres::RelationName& table) = 0;
  /// What a statement that begins now sees. Its position is that of pg_current_wal_insert_lsn().
  virtual DatabaseResult<postgres::Snapshot> current_snapshot() = 0;
  /// Ends backends that hold the advisory lock of `slot` while the slot is inactive; how many.
  virtual DatabaseResult<unsigned> break_lock(const std::string& slot) = 0;
};

class Database {
 public:
  virtual ~Database() = default;
  virtual DatabaseResult<std::unique_ptr<ReplicationSession>> connect_replication() = 0;
  virtual DatabaseResult<std::unique_ptr<QuerySession>> connect() = 0;
};

}  // namespace holdfast::env
