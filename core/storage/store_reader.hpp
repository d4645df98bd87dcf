// A read connection. Each call is one read transaction; no row is ever written. Where a shape's
// records are in the journal it learns from the store's index, or, on a standby and in the moment
// between a seal's commit and the index hearing of it, from an index of its own that it brings up
// to date inside the transaction.
#pragma once

#include "core/storage/catalogue.hpp"
#include "core/storage/journal_access.hpp"
#include "core/storage/segment.hpp"

namespace holdfast::storage {

class StoreReader final : public Reader {
 public:
  static StoreResult<std::unique_ptr<StoreReader>> open(env::Disk& disk,
                                                        const StoreOptions& options,
                                                        std::shared_ptr<const JournalIndex> index);

  /// A holder that was killed may have left a whole commit in the log that it had not synced, or
  /// whose sync failed: whoever opens the database next finds it there, and must not show it before
  /// a power loss can no longer take it back. SUSPENDS for SQLite's write lock, which no commit
  /// holds for long. REQUIRES: the database was read, so that nothing of the kind is found later.
  StoreResult<void> make_log_durable(env::Disk& disk, const std::string& directory);

  StoreResult<Slice> read(const ReadRequest& request) override;
  StoreResult<ShapeLookup> find(const protocol::ShapeHandle& handle) override;
  StoreResult<std::optional<ShapeRecord>> find_by_identity(const Hash128& identity) override;
  StoreResult<std::vector<StateEntry>> load_state(const protocol::ShapeHandle& handle) override;
  StoreResult<std::vector<StateEntry>> load_waiting(const protocol::ShapeHandle& handle,
                                                    const std::string& from,
                                                    std::size_t bytes) override;
  StoreResult<Boot> load() override;
  StoreResult<std::uint64_t> epoch() override;
  void use_index(std::shared_ptr<const JournalIndex> index) override {
    shared_index_ = std::move(index);
  }

 private:
  /// One read transaction's view of a shape, and the slice that is being made.
  struct Reading {
    StoreState state;
    std::uint64_t shape = 0;
    protocol::LogOffset after;
    protocol::LogOffset head;
    Slice slice;
    bool done = false;  ///< the end is reached
  };

  StoreReader(env::Disk& disk, const StoreOptions& options, std::unique_ptr<Connection> connection,
              std::shared_ptr<const JournalIndex> index);

  /// Runs `body` in a read transaction.
  template <class T, class Body>
  StoreResult<T> in_transaction(const Body& body);
  /// A segment file that is not there was replaced after this transaction began, or is lost.
  template <class T>
  StoreResult<T> note_missing(StoreResult<T> read);
  /// In a transaction.
  StoreResult<std::uint64_t> live_id(const protocol::ShapeHandle& handle);
  StoreResult<Slice> read_once(const ReadRequest& request);
  StoreResult<Slice> read_snapshot_chunk(std::uint64_t shape, std::uint64_t chunk);
  StoreResult<void> read_log(Reading& reading);
  StoreResult<void> read_runs(Reading& reading);
  StoreResult<void> read_journal(Reading& reading, JournalSlice first);
  StoreResult<JournalSlice> journal_after(const Reading& reading, const protocol::LogOffset& after);
  /// Brings the own index up to what this transaction sees.
  StoreResult<void> catch_up(const StoreState& state);
  /// The last visible record, or what the catalogue says when there is none.
  StoreResult<protocol::LogOffset> head_of(const CatalogueShape& shape, const StoreState& state);

  std::unique_ptr<Connection> connection_;
  StateReader state_reader_;
  Catalogue catalogue_;
  JournalAccess journal_;
  SegmentReader segments_;
  std::shared_ptr<const JournalIndex> shared_index_;
  JournalIndex own_index_;
  JournalVersion own_version_;
  std::uint64_t own_last_row_ = 0;
  bool segment_missing_ = false;

  Statement begin_{"BEGIN"};
  Statement end_{"COMMIT"};
  Statement select_shape_{
      "SELECT s.epoch, s.applied, s.sealed_row, s.handle_base, h.handle, h.chunks, h.id FROM state "
      "s "
      "LEFT JOIN shape h ON h.id=?1-s.handle_base WHERE s.id=1"};
  Statement select_part_{
      "SELECT segment, first, length, crc, bytes FROM snapshot_part WHERE id=?1"};
  Statement select_runs_{
      "SELECT last, segment, position, length, crc, closes FROM run WHERE shape=?1 AND last>?2 "
      "ORDER BY last"};
  // 2 is k_waiting_space.
  Statement select_state_{
      "SELECT space, key, CASE space WHEN 2 THEN x'' ELSE value END FROM shape_state WHERE "
      "shape=?1 "
      "ORDER BY space, key"};
  Statement select_waiting_{
      "SELECT key, value FROM shape_state WHERE shape=?1 AND space=2 AND key>=?2 ORDER BY key"};
  Statement select_epoch_{"SELECT epoch FROM state WHERE id=1"};
};

}  // namespace holdfast::storage
