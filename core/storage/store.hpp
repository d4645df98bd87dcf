// The durable store: the single truth of an engine (design.md §7). One SQLite database in WAL mode
// plus immutable segment files, in one directory. Every function here may block and runs inside a
// store job (runtime::Worker), one at a time per object; nothing here knows processes.
//
// One engine commit = one SQLite transaction = one sync, for all shapes of a group. A reader sees
// only records at or below the applied LSN. formats.md gives the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/guards.hpp"
#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "core/env/disk.hpp"
#include "core/postgres/lsn.hpp"
#include "core/protocol/offset.hpp"

namespace holdfast::storage {

struct StoreOptions {
  std::string directory;
  /// Whose shapes these are: the replication slot. A directory that another owner took over first
  /// is refused, since what one slot brought says nothing of what another will.
  std::string owner;
  std::uint64_t chunk_bytes = 10ULL << 20;             ///< http-api.md §13.2
  std::uint64_t journal_bytes = 64ULL << 20;           ///< a generation is sealed beyond this
  std::uint64_t inline_snapshot_bytes = 256ULL << 10;  ///< larger snapshots become segments
  std::uint64_t checkpoint_passive_bytes = 16ULL << 20;
  std::uint64_t checkpoint_restart_bytes = 64ULL << 20;
  Guards guards = Guards::all();
};

enum class StoreFailure : std::uint8_t {
  unknown_outcome,  ///< a commit failed: it may or may not be there after recovery; re-open,
                    ///< re-read
  fenced,           ///< another instance took over: storage_epoch differs; stop the stack
  corrupt,          ///< a checksum, version or length is wrong; the message has path and offset
  io,               ///< any other failure of the disk; nothing changed
  not_found,        ///< no such handle
  foreign,          ///< the directory is another owner's; nothing changed
};

struct StoreError {
  StoreFailure kind = StoreFailure::io;
  std::string message;
};

template <class T>
using StoreResult = Result<T, StoreError>;

enum class ShapeRole : std::uint8_t {
  served,  ///< clients ask for it
  inner,   ///< what a subquery selects: lives as long as a shape refers to it, and has no log
};

/// The space of a shape's state where input is kept that its consumer died of (design.md §7). Its
/// entry under the empty key says why.
inline constexpr std::uint32_t k_quarantine_space = 0xffff;

/// What the catalogue says of one live shape.
struct ShapeRecord {
  protocol::ShapeHandle handle;
  Hash128 identity;        ///< at most one live shape has it (I-39)
  std::string definition;  ///< compiled form, opaque here
  ShapeRole role = ShapeRole::served;
  std::vector<protocol::ShapeHandle> inners;  ///< of its subqueries, by dependency index (I-37)
  bool snapshot_complete = false;
  postgres::Snapshot snapshot;        ///< meaningful once complete
  std::uint32_t snapshot_chunks = 0;  ///< >= 1 once complete
  protocol::LogOffset head;           ///< 0_inf, or the last record's offset; -1 before completion
  /// Commit LSN of the first transaction that is stored but not in the log yet; 0: none.
  postgres::Lsn waiting_from;
  std::string quarantine;  ///< why its input is kept aside; empty: it is not
};

/// A shape to be made, with what its subqueries select.
struct NewShape {
  Hash128 identity;
  std::string definition;
  ShapeRole role = ShapeRole::served;
  std::vector<NewShape> inners;  ///< by dependency index
};

/// A removal whose later steps were not finished (design.md §6, step 2 on).
struct RemovedShape {
  protocol::ShapeHandle handle;
  std::string reason;
  std::string definition;
};

/// Everything a stack needs at start.
struct Boot {
  std::uint64_t epoch = 0;
  postgres::Lsn applied;            ///< commit LSN of the last applied transaction; 0: none yet
  postgres::Lsn confirmable;        ///< end LSN of it: what may be confirmed to Postgres
  std::string system_identity;      ///< as last stored by set_system_identity; empty: never
  std::vector<ShapeRecord> shapes;  ///< in order of creation
  std::vector<RemovedShape> unfinished_removals;
};

/// One record of one shape's log. `item` indexes Group::items.
struct RecordRef {
  protocol::LogOffset offset;
  std::uint32_t item = 0;
  bool last =
      false;  ///< the last record of its transaction for this shape: `"last":true` is served
};

/// Items too many to be held: written beforehand, back to back, by a SnapshotWriter. The commit
/// that brings them copies them to the journal piece by piece, and their segment goes.
struct SpilledItems {
  std::string segment;
  std::vector<std::uint32_t> sizes;  ///< in bytes, of each
  std::uint64_t begin = 0;           ///< where the first begins, in bytes
};

/// Records whose items are spilled.
struct SpilledRecords {
  /// Of each, what RecordRef says of one that is held.
  struct Place {
    protocol::LogOffset offset;
    bool last = false;
  };
  std::size_t before = 0;  ///< index among the records of the one that follows them, or the end
  protocol::LogOffset first;
  std::shared_ptr<const SpilledItems> items;
  /// None: ops one after the other, from `first` on, and none is `last`.
  std::vector<Place> places = {};

  Place place(std::size_t number) const {
    if (!places.empty()) return places[number];
    return {protocol::LogOffset::at(first.tx, first.op + number), false};
  }
  protocol::LogOffset last() const { return place(items->sizes.size() - 1).offset; }
};

struct ShapeAppend {
  protocol::ShapeHandle handle;
  std::vector<RecordRef> records;  ///< offsets strictly increase, and lie above the shape's head
  /// In order; not empty; of transactions that are applied with this group or were before.
  std::vector<SpilledRecords> spilled = {};
};

/// Snapshot rows in the order they will be served: JSON items, with the chunk rule applied already.
/// Either all in `bytes`, or in a segment written by SnapshotWriter.
struct SnapshotContent {
  std::string bytes;                      ///< items of all chunks, joined by ',' inside a chunk
  std::vector<std::uint64_t> chunk_ends;  ///< end position of each chunk in the bytes; >= 1 chunk
  std::string segment;                    ///< non-empty: the bytes are this segment's
};

struct SnapshotCompletion {
  protocol::ShapeHandle handle;
  postgres::Snapshot snapshot;
  SnapshotContent content;
};

/// The one space whose keys mean something here: input that waits. They begin with its commit LSN,
/// big-endian.
inline constexpr std::uint32_t k_waiting_space = 2;

/// One change of what a shape with subqueries, or an inner one, knows beside its log: views, rows
/// and counts of values, input that waits. Keys and values are opaque here; a space is a map.
struct StateChange {
  protocol::ShapeHandle handle;
  std::uint32_t space = 0;
  std::optional<std::string> key;                   ///< none: the whole space, which becomes empty
  std::optional<std::string> value = std::nullopt;  ///< none: the key goes
};

/// One entry of that state.
struct StateEntry {
  std::uint32_t space = 0;
  std::string key;
  std::string value;
};

/// One engine commit.
struct Group {
  /// JSON items, each held once however many shapes refer to it, without the `last` header.
  std::vector<std::shared_ptr<const std::string>> items;
  std::vector<SnapshotCompletion> completions;  ///< applied before the appends
  std::vector<ShapeAppend> appends;             ///< at most one per shape
  std::vector<StateChange> state;               ///< in this order
  postgres::Lsn applied;      ///< commit LSN of the last whole transaction; 0: none in this group
  postgres::Lsn confirmable;  ///< its end LSN
};

/// A shape's visible state after a commit: what read models show.
struct ShapeHead {
  protocol::ShapeHandle handle;
  protocol::LogOffset head;
  std::uint32_t snapshot_chunks = 0;
};

struct CommitResult {
  std::vector<ShapeHead> heads;  ///< the shapes of this group
};

/// What a slice of maintenance did.
struct MaintenanceResult {
  bool more = false;       ///< call again soon
  bool sealed = false;     ///< the journal's records are in segments now
  bool rewritten = false;  ///< a mostly dead segment gave its live runs to another one
};

class SnapshotWriter;
class JournalIndex;

/// The holder's side: the only writer. One per storage directory and epoch.
class Store {
 public:
  virtual ~Store() = default;

  /// One transaction that raises storage_epoch, then recovery (records above the applied LSN go,
  /// unreferenced segments go), then everything read. REQUIRES: the Postgres lock is held.
  /// ENSURES: idempotent; a crash anywhere in it leaves a state from which it succeeds.
  virtual StoreResult<Boot> take_over() = 0;

  /// For a holder whose source of groups starts anew: if records above the applied LSN are there,
  /// then as take_over(), and what it answers, but only while this instance holds the epoch. The
  /// transaction that they are of comes again.
  virtual StoreResult<std::optional<Boot>> cut_unfinished() = 0;

  /// Makes a shape and its inner shapes durable, in one transaction, and gives each a handle never
  /// used before in this directory. Of an equal identity that lives: its record, nothing changes. A
  /// handle's first part is made of the identity, the second is a durable counter, so it survives
  /// losing everything but the counter. ENSURES: each once, inner shapes before those that refer
  /// to them, so that the shape itself is the last.
  virtual StoreResult<std::vector<ShapeRecord>> create(const NewShape& shape) = 0;
  /// One without subqueries.
  StoreResult<ShapeRecord> create(const Hash128& identity, std::string_view definition) {
    auto made = create(NewShape{identity, std::string(definition), ShapeRole::served, {}});
    if (!made.ok()) return made.failure();
    return std::move(made->back());
  }

  /// Where the rows of a large snapshot go before its completion. Never blocks commits.
  virtual StoreResult<std::unique_ptr<SnapshotWriter>> write_snapshot(
      const protocol::ShapeHandle& handle) = 0;

  /// Durable on return. Shapes that are not live are left out silently: their removal won.
  virtual StoreResult<CommitResult> commit(const Group& group) = 0;

  /// What remove() would remove now, the shape first. Not live: nothing.
  virtual StoreResult<std::vector<protocol::ShapeHandle>> would_remove(
      const protocol::ShapeHandle& handle) = 0;
  /// Step 1 of a removal: in one transaction the shape, every shape that refers to it, and the
  /// inner shapes to which nothing refers any more. ENSURES: what was removed, the shape first. Not
  /// live: nothing.
  virtual StoreResult<std::vector<protocol::ShapeHandle>> remove(
      const protocol::ShapeHandle& handle, std::string_view reason, std::int64_t at_unix_us) = 0;
  /// All steps of a removal are done; its data may be collected.
  virtual StoreResult<void> finish_removal(const protocol::ShapeHandle& handle) = 0;

  virtual StoreResult<void> set_system_identity(std::string_view identity) = 0;
  /// Removes every shape with this reason: the slot was lost, the timeline changed (LC-8, LC-10).
  /// The applied LSN starts again from zero. ENSURES: what was removed.
  virtual StoreResult<std::vector<protocol::ShapeHandle>> remove_all(std::string_view reason,
                                                                     std::int64_t at_unix_us) = 0;

  /// One bounded slice of sealing, checkpointing and collecting removed data.
  virtual StoreResult<MaintenanceResult> maintain() = 0;

  /// Shared with this instance's readers.
  virtual std::shared_ptr<const JournalIndex> journal_index() const = 0;
};

/// Appends the bytes of one large snapshot to a segment file.
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  virtual StoreResult<void> append(std::string_view bytes) = 0;
  /// Syncs file and directory entry. ENSURES: the segment outlives a crash, and is collected at the
  /// next take_over() unless a completion refers to it.
  virtual StoreResult<std::string> finish() = 0;
};

struct ReadRequest {
  protocol::ShapeHandle handle;
  protocol::LogOffset after;  ///< exclusive
  protocol::LogOffset head;   ///< the head a read model showed; nothing above it is read
};

/// What http-api.md §13.4 says a response covers.
struct Slice {
  protocol::LogOffset end;
  std::string items;  ///< JSON items joined by ',', no brackets; empty: none
};

/// What is known about a handle or identity, from the database itself.
struct ShapeLookup {
  std::optional<ShapeRecord> live;
  std::optional<std::string> removed_reason;
};

/// A read connection: never writes, one transaction a call. Any number of them.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual StoreResult<Slice> read(const ReadRequest& request) = 0;
  virtual StoreResult<ShapeLookup> find(const protocol::ShapeHandle& handle) = 0;
  virtual StoreResult<std::optional<ShapeRecord>> find_by_identity(const Hash128& identity) = 0;
  /// All state of a live shape, by space and key. Of input that waits only the keys.
  virtual StoreResult<std::vector<StateEntry>> load_state(const protocol::ShapeHandle& handle) = 0;
  /// Input that waits, from this key on, until it has so many bytes; not less than one entry, if
  /// there is one.
  virtual StoreResult<std::vector<StateEntry>> load_waiting(const protocol::ShapeHandle& handle,
                                                            const std::string& from,
                                                            std::size_t bytes) = 0;
  /// The whole catalogue as a standby or a restarting owner sees it; changes nothing.
  virtual StoreResult<Boot> load() = 0;
  /// Raised by each take-over, whoever's.
  virtual StoreResult<std::uint64_t> epoch() = 0;
  /// Where journal records are found from now on: the index of the store that this instance holds,
  /// or null on a standby, which finds them by itself.
  virtual void use_index(std::shared_ptr<const JournalIndex> index) = 0;
};

/// To be called once in a process, before the first store is opened: SQLite then keeps no count of
/// its memory, for which it takes a lock at every allocation.
void configure_sqlite();

/// Whether the directory is free, or belongs to `options.owner`. Writes nothing.
StoreResult<void> check_owner(env::Disk& disk, const StoreOptions& options);

/// Opens or creates the directory. Does not take over.
StoreResult<std::unique_ptr<Store>> open_store(env::Disk& disk, const StoreOptions& options);
/// `index` as in Reader::use_index().
StoreResult<std::unique_ptr<Reader>> open_reader(env::Disk& disk, const StoreOptions& options,
                                                 std::shared_ptr<const JournalIndex> index);

/// Where a stack gets its stores and readers from: from the two functions above, unless the
/// simulator puts something around them (sim/mutants). Used inside store jobs, thread-safe.
class StoreSource {
 public:
  virtual ~StoreSource() = default;
  virtual StoreResult<std::unique_ptr<Store>> open_store(env::Disk& disk,
                                                         const StoreOptions& options) = 0;
  virtual StoreResult<std::unique_ptr<Reader>> open_reader(
      env::Disk& disk, const StoreOptions& options, std::shared_ptr<const JournalIndex> index) = 0;
};

class DurableStores final : public StoreSource {
 public:
  StoreResult<std::unique_ptr<Store>> open_store(env::Disk& disk,
                                                 const StoreOptions& options) override {
    return storage::open_store(disk, options);
  }
  StoreResult<std::unique_ptr<Reader>> open_reader(
      env::Disk& disk, const StoreOptions& options,
      std::shared_ptr<const JournalIndex> index) override {
    return storage::open_reader(disk, options, std::move(index));
  }
};

}  // namespace holdfast::storage
