// StoreProcess: the one process that writes. It holds the write connection (through StoreSlot) and
// turns every failure that leaves the outcome unknown, and every lost epoch, into its own crash:
// what comes after it in the supervision tree then starts again from what is durable (design.md
// §7).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

/// Which database the shapes come from, and whether there is anything to lose.
struct StoreOrigin {
  std::string system_identity;  ///< empty: none yet
  bool has_state = false;
  /// Postgres was told no position beyond this one: the slot stands here at most.
  postgres::Lsn confirmable;
};

class StoreProcess : public runtime::Process {
 public:
  explicit StoreProcess(Context context) : context_(std::move(context)) {}

  // -- handlers; each SUSPENDS for a job of the write worker --------------------------------------

  /// Opens the store, raises its epoch, recovers; has what was found shown, and removals that were
  /// begun finished. REQUIRES: the Postgres lock is held.
  storage::StoreResult<void> take_over();
  /// What this incarnation's store belongs to; nullopt until take_over() succeeded.
  std::optional<StoreOrigin> origin() const { return origin_; }

  /// Looks whether this instance still holds the epoch; false: it never took over. If another one
  /// has since, though no commit has told, this process ends, and all that stands on it. SUSPENDS.
  bool still_leads();

  /// A new collector takes over from whichever there was: commits of earlier ones that still wait
  /// here are dropped, and what is durable at this moment is answered. What a dead collector was
  /// not told any more is in there.
  storage::StoreResult<std::shared_ptr<const storage::Boot>> begin_session(
      runtime::Ref<ShapeLogCollector> collector);

  storage::StoreResult<std::vector<storage::ShapeRecord>> create(storage::NewShape shape);
  /// Answers the collector by ShapeLogCollector::committed(ticket, …). On failure it does not
  /// answer but crashes, and the collector ends with it.
  void commit(runtime::Ref<ShapeLogCollector> collector, std::uint64_t ticket,
              std::shared_ptr<const storage::Group> group);
  /// A commit of state alone, beside those of the stream.
  storage::StoreResult<void> write_state(storage::Group group);
  storage::StoreResult<std::vector<protocol::ShapeHandle>> remove(protocol::ShapeHandle handle,
                                                                  std::string reason);
  storage::StoreResult<void> finish_removal(protocol::ShapeHandle handle);
  /// Removes every shape, then as set_origin().
  storage::StoreResult<void> reset(std::string reason, std::string system_identity,
                                   postgres::Lsn slot_position);
  /// Stores the identity of the database now served, and where its slot stands.
  storage::StoreResult<void> set_origin(std::string system_identity, postgres::Lsn slot_position);

  /// Rows of a large query, in order; each process writes a segment of its own. `position`: how
  /// many bytes came before; at 0 a new segment begins, and one that was not finished is dropped.
  storage::StoreResult<void> spill(runtime::ProcessId writer, protocol::ShapeHandle handle,
                                   std::uint64_t position, std::string bytes);
  /// The segment's name.
  storage::StoreResult<std::string> finish_spill(runtime::ProcessId writer);

  void maintain();

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  template <class F>
  auto on_store(const char* label, F use) -> std::invoke_result_t<F, storage::Store&>;
  /// Leaves by a crash for failures after which nothing in memory can be trusted.
  void check(const storage::StoreError& error);
  void schedule_maintenance();
  /// The read models become what was found. From here, and before anything else is done: a removal
  /// that comes later must not be undone by what was read before it. SUSPENDS.
  std::shared_ptr<const storage::Boot> show(storage::Boot boot);
  /// From its commit on, another instance that asks the store says 409 for a shape, and makes its
  /// successor. The read models may hear of it much later, so before that they leave the question
  /// to the store (I-43). `removal`: of these shapes, as a job. SUSPENDS.
  template <class F>
  storage::StoreResult<std::vector<protocol::ShapeHandle>> remove_ending(
      const std::vector<protocol::ShapeHandle>& ending, F removal);
  /// What is durable becomes true of the rest of the engine. From here, since whoever asked for it
  /// may not live to do it, and the read models outlive him.
  void tell_of_removal(const std::vector<protocol::ShapeHandle>& removed);
  /// Until no former leader shows any more what is removed now. SUSPENDS.
  void outlast_leases();

  Context context_;
  bool maintenance_scheduled_ = false;
  struct Spill {
    std::shared_ptr<storage::SnapshotWriter> writer;
    std::uint64_t size = 0;
  };
  std::map<runtime::ProcessId, Spill> spills_;
  /// What check_origin() of the connection manager compares with.
  std::optional<StoreOrigin> origin_;
  std::uint64_t epoch_ = 0;  ///< ours, once origin_ is known
  Instant taken_over_;
  std::optional<runtime::Ref<ShapeLogCollector>> collector_;  ///< whose commits are taken
};

}  // namespace holdfast::stack
