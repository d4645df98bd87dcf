// ShapeStatusOwner: owner and only writer of the read models `shape_meta`, `shape_by_identity` and
// `lsn_tracker`. They show committed state only; the store remains the truth, so after this
// process's death they are simply read again (engine.md §1.3).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime/owned_table.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

/// What a commit made visible.
struct Committed {
  std::vector<storage::ShapeHead> heads;
  /// The snapshots that this commit completed.
  std::vector<std::pair<protocol::ShapeHandle, postgres::Snapshot>> completed;
  /// From where on shapes lack transactions; 0: they lack none any more.
  std::vector<std::pair<protocol::ShapeHandle, postgres::Lsn>> waiting = {};
  postgres::Lsn processed;  ///< 0: unchanged
};

class ShapeStatusOwner : public runtime::Process {
 public:
  explicit ShapeStatusOwner(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// Replaces everything by what the store found. Old rows go last, so that no live shape is ever
  /// missing.
  void refresh(std::shared_ptr<const storage::Boot> found);
  /// A shape that the store made durable. Known already: nothing changes.
  void add(storage::ShapeRecord record);
  /// Advances heads and wakes who waits for them.
  void committed(Committed what);
  /// Why its input is set aside; empty: it is not, or no more.
  void set_quarantine(protocol::ShapeHandle handle, std::string reason);
  /// Shapes that the store is about to remove, or was about to and did not.
  void set_ending(std::vector<protocol::ShapeHandle> handles, bool ending);
  /// A shape that the store has removed: requests no longer find it, and its waiters are woken.
  void forget(protocol::ShapeHandle handle);

 protected:
  void init() override;

 private:
  void put(const storage::ShapeRecord& record);
  void list_quarantine(const protocol::ShapeHandle& handle, const std::string& reason);

  Context context_;
  std::unique_ptr<runtime::OwnedTable<protocol::ShapeHandle, ShapeMeta>> meta_;
  std::unique_ptr<runtime::OwnedTable<Hash128, protocol::ShapeHandle>> by_identity_;
  std::unique_ptr<runtime::OwnedTable<std::string, protocol::ShapeHandle>> by_request_;
  std::unique_ptr<runtime::OwnedTable<protocol::ShapeHandle, std::string>> quarantined_;
  std::unique_ptr<runtime::OwnedTable<std::uint8_t, LsnRow>> lsn_;
};

}  // namespace holdfast::stack
