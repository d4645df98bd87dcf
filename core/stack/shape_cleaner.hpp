// ShapeCleaner: removes shapes by the sequence of design.md §6. Step 1, the store's transaction, is
// the removal; the other steps make the rest of the engine agree, are idempotent, and are repeated
// at boot for removals that were not finished. A process's death never comes here (I-48).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

/// Reasons of removal that whoever waited for the snapshot is told, in the words that follow them
/// (http-api.md §23.3).
namespace removed {
inline constexpr std::string_view snapshot_refused = "snapshot_refused: ";
inline constexpr std::string_view snapshot_failed = "snapshot_failed: ";
}  // namespace removed

class ShapeCleaner : public runtime::Process {
 public:
  explicit ShapeCleaner(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// Answers when the removal is durable and requests no longer find the shape. SUSPENDS.
  storage::StoreResult<void> remove(protocol::ShapeHandle handle, std::string reason);
  /// The same for the first of these, as many as are still beyond the limit: others may have gone
  /// since they were chosen. How many were removed.
  storage::StoreResult<std::size_t> expire(std::vector<protocol::ShapeHandle> chosen,
                                           std::size_t limit);
  /// The same for a fault that the engine found by itself, if all of it is there to have found it:
  /// what fails while it stops says nothing about the shape (B6). Tried until it is done.
  void remove_faulty(protocol::ShapeHandle handle, std::string reason);
  /// Steps 2 to 5, for a shape whose step 1 is durable. Asked for by the store.
  void finish(protocol::ShapeHandle handle);
  /// Finishes what an earlier incarnation, or an earlier run, left half done. REQUIRES: taken over.
  void resume(std::vector<storage::RemovedShape> unfinished);
  /// As resume(), of what the store says.
  void look_for_unfinished();

 protected:
  void init() override;

 private:
  Context context_;
};

}  // namespace holdfast::stack
