// The Store over SQLite and segments. Owned by the stack's store process; every call is a store
// job. In memory it holds, per live shape, what a commit needs (head, open chunk), so that a commit
// writes rows for what changed and nothing per shape; all of it is derived again by take_over().
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "core/storage/catalogue.hpp"
#include "core/storage/journal_access.hpp"
#include "core/storage/journal_index.hpp"
#include "core/storage/segment.hpp"
#include "core/storage/store.hpp"

namespace holdfast::storage {

/// What serving a record adds for the `last` header, counted by the chunk rule.
inline constexpr std::string_view k_last_header = ",\"last\":true";

/// Bytes of a record by the chunk rule of http-api.md §13.2.
constexpr std::uint64_t chunk_rule_bytes(std::size_t json_bytes, bool last) {
  return json_bytes + (last ? k_last_header.size() : 0);
}

struct LiveShape {
  std::uint64_t id = 0;
  std::string handle;
  Hash128 identity;
  bool complete = false;
  std::uint32_t chunks = 0;
  ShapeRole role = ShapeRole::served;
  std::vector<std::uint64_t> inners;
  protocol::LogOffset end;       ///< the last record, visible or not; 0_inf; -1 before completion
  protocol::LogOffset visible;   ///< what readers are shown
  std::uint64_t open_bytes = 0;  ///< in the open protocol chunk
  std::uint64_t journal_bytes = 0;  ///< of this shape's records in the journal
  std::uint64_t group = 0;          ///< the last commit that appended: finds a shape named twice
};

/// How much of a segment file is still referred to.
struct SegmentUse {
  SegmentKind kind = SegmentKind::log;
  std::uint64_t size = 0;
  std::uint64_t live = 0;  ///< log: bytes of runs; snapshot: bytes of its parts, plus one each
};

struct StagedAppend;
struct StagedGroup;
struct StagedPart;
struct RunRow;
struct SealJob;
struct RewriteJob;

class DurableStore final : public Store {
 public:
  static StoreResult<std::unique_ptr<Store>> open(env::Disk& disk, const StoreOptions& options);
  ~DurableStore() override;

  StoreResult<Boot> take_over() override;
  StoreResult<std::optional<Boot>> cut_unfinished() override;
  StoreResult<std::vector<ShapeRecord>> create(const NewShape& shape) override;
  StoreResult<std::unique_ptr<SnapshotWriter>> write_snapshot(
      const protocol::ShapeHandle& handle) override;
  StoreResult<CommitResult> commit(const Group& group) override;
  StoreResult<std::vector<protocol::ShapeHandle>> would_remove(
      const protocol::ShapeHandle& handle) override;
  StoreResult<std::vector<protocol::ShapeHandle>> remove(const protocol::ShapeHandle& handle,
                                                         std::string_view reason,
                                                         std::int64_t at_unix_us) override;
  StoreResult<void> finish_removal(const protocol::ShapeHandle& handle) override;
  StoreResult<void> set_system_identity(std::string_view identity) override;
  StoreResult<std::vector<protocol::ShapeHandle>> remove_all(std::string_view reason,
                                                             std::int64_t at_unix_us) override;
  StoreResult<MaintenanceResult> maintain() override;
  std::shared_ptr<const JournalIndex> journal_index() const override { return index_; }

 private:
  DurableStore(env::Disk& disk, StoreOptions options, std::unique_ptr<Connection> connection);

  // Write transactions. begin() checks the epoch; finish() is the durability point of every one.
  StoreResult<void> begin();
  StoreResult<void> finish();
  /// Rolls back and passes the error on.
  StoreError roll_back(StoreError error);
  StoreError failed(std::string_view what);
  StoreResult<void> usable() const;

  // take_over, in order.
  StoreResult<Boot> finish_take_over();
  StoreResult<Boot> take_over_in_transaction();
  StoreResult<void> load_shapes(Boot& boot);
  StoreResult<void> recover_journal();
  StoreResult<bool> recover_row(std::uint64_t row, const ReferenceRow& references,
                                std::string& rewritten, bool& keep);
  StoreResult<void> cut_section(const ReferenceRow& references, const Section& section,
                                LiveShape& shape, ReferenceRowWriter& writer, std::uint64_t row);
  StoreResult<void> load_removals();
  StoreResult<void> remove_unreferenced_segments();
  void fill_boot_heads(Boot& boot) const;
  void note_section(LiveShape& shape, const SectionHeader& header, const JournalEntry& entry);
  void forget_everything();

  // Catalogue.
  LiveShape* find_live(const protocol::ShapeHandle& handle);
  void add_live(LiveShape shape);
  void drop_live(const LiveShape& shape);

  // Shapes and their inner ones (durable_store_families.cpp).
  struct Family;
  struct Ended;
  StoreResult<ShapeRecord> known(std::uint64_t id);
  StoreResult<std::uint64_t> add_to(Family& family, const NewShape& shape);
  StoreResult<void> insert(const Family& family);
  std::vector<Ended> end_with(const LiveShape& shape) const;

  // commit, in order.
  void stage_completions(const Group& group, StagedGroup& staged);
  void stage_appends(const Group& group, StagedGroup& staged);
  /// What comes before spilled records, or all where there are none.
  void encode_held(const Group& group, StagedGroup& staged);
  void encode(const std::vector<std::string_view>& items, const std::vector<StagedPart>& parts,
              StagedGroup& staged);
  void encode_items(const std::vector<std::string_view>& items,
                    const std::vector<StagedPart>& parts, StagedGroup& staged);
  void encode_references(const std::vector<std::string_view>& items,
                         const std::vector<StagedPart>& parts, StagedGroup& staged);
  StoreResult<void> write_group(StagedGroup& staged);
  /// Of what is encoded, after what was written before.
  StoreResult<void> write_rows(StagedGroup& staged);
  // The rest, in pieces (durable_store_spilled.cpp).
  StoreResult<void> write_spilled(const Group& group, StagedGroup& staged);
  StoreResult<void> write_pieces(const SpilledRecords& spilled, StagedAppend& append,
                                 StagedGroup& staged);
  StoreResult<void> write_between(const Group& group, StagedAppend& append, std::size_t number,
                                  StagedGroup& staged);
  StoreResult<void> write_state(const std::vector<StateChange>& changes);
  StoreResult<void> write_completion(const SnapshotCompletion& completion, std::uint64_t shape);
  CommitResult apply_group(StagedGroup& staged);
  void raise_visible(StagedGroup& staged);

  // maintain: each slice answers whether it did something.
  struct Collection;
  StoreResult<bool> checkpoint();
  StoreResult<bool> drop_slice();
  StoreResult<bool> collect_slice();
  StoreResult<Collection> find_collectable(std::uint64_t shape);
  void remove_garbage();
  std::uint64_t sealable_row() const;
  bool seal_is_due() const;
  StoreResult<bool> seal_slice();
  /// True: the job is done.
  StoreResult<bool> advance_seal(SealJob& job);
  StoreResult<std::uint64_t> seal_shape(SealJob& job, std::uint64_t shape);
  StoreResult<void> write_run(SealJob& job, RunRow& run, std::string& bytes);
  StoreResult<void> close_segment(SealJob& job);
  bool insert_run(const RunRow& run);
  StoreResult<void> commit_seal(SealJob& job);
  StoreResult<void> after_seal(const SealJob& job);
  StoreResult<void> measure_journal();
  StoreResult<bool> rewrite_slice();
  StoreResult<void> start_rewrite();
  StoreResult<bool> advance_rewrite(RewriteJob& job);
  StoreResult<void> commit_rewrite(RewriteJob& job);
  SegmentId next_segment_id();

  env::Disk& disk_;
  const StoreOptions options_;
  std::unique_ptr<Connection> connection_;
  StateReader state_reader_;
  Catalogue catalogue_;
  JournalAccess journal_;
  SegmentReader segments_;
  std::shared_ptr<JournalIndex> index_ = std::make_shared<JournalIndex>();

  bool taken_over_ = false;
  bool poisoned_ = false;  ///< a commit's outcome is unknown; nothing works until re-opened
  StoreState state_;       ///< as of the last commit
  std::unordered_map<std::uint64_t, LiveShape> shapes_;
  std::map<Hash128, std::uint64_t> by_identity_;
  /// Per shape the last record of each transaction above the applied LSN, ascending.
  std::map<std::uint64_t, std::vector<protocol::LogOffset>> invisible_;
  std::uint64_t first_invisible_row_ = 0;  ///< 0: no record is invisible
  std::uint64_t first_invisible_item_ = 0;
  std::uint64_t next_row_ = 1;
  std::uint64_t next_item_ = 1;
  std::uint64_t group_number_ = 0;
  std::uint64_t segment_counter_ = 0;

  std::uint64_t journal_bytes_ = 0;  ///< rows above the sealed one
  bool chunk_waits_ = false;         ///< some shape's journal data reached a chunk
  std::uint64_t dropped_row_ = 0;    ///< sealed rows up to here are deleted
  std::uint64_t dropped_item_ = 0;
  std::uint64_t checkpointed_frames_ = 0;
  std::map<std::uint64_t, RemovalState> removals_;  ///< those with data left
  std::uint64_t collections_ = 0;
  std::map<SegmentId, SegmentUse> segment_use_;
  std::vector<SegmentId> garbage_;  ///< files no row refers to any more
  std::unique_ptr<SealJob> seal_;
  std::unique_ptr<RewriteJob> rewrite_;
  MaintenanceResult maintained_{.more = true};  ///< by the slice under way

  Statement begin_{"BEGIN IMMEDIATE"};
  Statement commit_{"COMMIT"};
  Statement rollback_{"ROLLBACK"};
  Statement select_epoch_{"SELECT epoch FROM state WHERE id=1"};
  Statement set_epoch_{"UPDATE state SET epoch=?1, owner=?2 WHERE id=1"};
  Statement set_applied_{"UPDATE state SET applied=?1, confirmable=?2 WHERE id=1"};
  Statement set_next_shape_{"UPDATE state SET next_shape=?1 WHERE id=1"};
  Statement set_sealed_{"UPDATE state SET sealed_row=?1, sealed_item=?2 WHERE id=1"};
  Statement set_identity_{"UPDATE state SET system_identity=?1 WHERE id=1"};
  Statement insert_shape_{
      "INSERT INTO shape(id, handle, identity, definition, role, inners) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"};
  Statement put_state_{
      "INSERT INTO shape_state(shape, space, key, value) VALUES(?1, ?2, ?3, ?4) "
      "ON CONFLICT DO UPDATE SET value=excluded.value"};
  Statement delete_state_{"DELETE FROM shape_state WHERE shape=?1 AND space=?2 AND key=?3"};
  Statement clear_state_{"DELETE FROM shape_state WHERE shape=?1 AND space=?2"};
  Statement collect_state_{
      "DELETE FROM shape_state WHERE shape=?1 AND (space, key) IN "
      "(SELECT space, key FROM shape_state WHERE shape=?1 LIMIT ?2)"};
  Statement complete_shape_{"UPDATE shape SET chunks=?2, snapshot=?3 WHERE id=?1"};
  Statement delete_shape_{"DELETE FROM shape WHERE id=?1"};
  Statement insert_removed_{
      "INSERT INTO removed(id, handle, reason, at, state, definition) "
      "SELECT id, handle, ?2, ?3, 0, definition FROM shape WHERE id=?1"};
  Statement remove_all_{
      "INSERT INTO removed(id, handle, reason, at, state, definition) "
      "SELECT id, handle, ?1, ?2, 0, definition FROM shape"};
  Statement delete_all_shapes_{"DELETE FROM shape"};
  Statement finish_removed_{
      "UPDATE removed SET state=1, definition=NULL WHERE id=?1 AND handle=?2 AND state=0"};
  Statement collected_removed_{"UPDATE removed SET state=2 WHERE id=?1"};
  Statement select_removals_{"SELECT id, state FROM removed WHERE state<2 ORDER BY id"};
  Statement forget_removed_{
      "DELETE FROM removed WHERE state=2 AND id<=(SELECT id FROM removed WHERE state=2 "
      "ORDER BY id DESC LIMIT 1 OFFSET ?1)"};
  Statement insert_item_{"INSERT INTO item(id, bytes) VALUES(?1, ?2)"};
  Statement insert_journal_{"INSERT INTO journal(id, refs) VALUES(?1, ?2)"};
  Statement update_journal_{"UPDATE journal SET refs=?2 WHERE id=?1"};
  Statement delete_journal_row_{"DELETE FROM journal WHERE id=?1"};
  Statement delete_items_above_{"DELETE FROM item WHERE id>?1"};
  Statement drop_journal_{"DELETE FROM journal WHERE id<=?1"};
  Statement drop_items_{"DELETE FROM item WHERE id<=?1"};
  Statement insert_part_{
      "INSERT INTO snapshot_part(id, segment, first, length, crc, bytes) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"};
  Statement insert_segment_{"INSERT INTO segment(id, kind, size, live) VALUES(?1, ?2, ?3, ?4)"};
  Statement update_segment_{"UPDATE segment SET live=?2 WHERE id=?1"};
  Statement delete_segment_{"DELETE FROM segment WHERE id=?1"};
  Statement select_segments_{"SELECT id, kind, size, live FROM segment ORDER BY id"};
  Statement insert_run_{
      "INSERT INTO run(shape, last, segment, position, length, crc, closes, open_bytes) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"};
  Statement move_run_{
      "UPDATE run SET segment=?4, position=?5 WHERE shape=?1 AND last=?2 AND segment=?3"};
  Statement delete_run_{"DELETE FROM run WHERE shape=?1 AND last=?2"};
  Statement select_runs_of_shape_{
      "SELECT last, segment, length FROM run WHERE shape=?1 ORDER BY last LIMIT ?2"};
  Statement select_runs_of_segment_{
      "SELECT shape, last, position, length, crc FROM run WHERE segment=?1 ORDER BY shape, last"};
  Statement select_parts_{
      "SELECT id, segment, length FROM snapshot_part WHERE id>=?1 AND id<?2 ORDER BY id LIMIT ?3"};
  Statement delete_part_{"DELETE FROM snapshot_part WHERE id=?1"};
};

}  // namespace holdfast::storage
