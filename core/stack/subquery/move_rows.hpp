// What one splice writes on its way to the log, when it is more than is to be held: the rows of the
// move, as they come, and the items of transactions that waited. They go to one segment of the
// store piece by piece, and the splice's commit brings them into the log. Of rows nothing is kept
// but of the latest attempt.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/log/delivery.hpp"
#include "core/storage/store.hpp"
#include "core/subquery/outer_shape.hpp"

namespace holdfast::stack {

class MoveRows {
 public:
  MoveRows(Context context, protocol::ShapeHandle handle)
      : context_(std::move(context)), handle_(std::move(handle)) {}

  /// To be called now and then: takes what the shape holds, if that is much. `process` is whose
  /// segment it becomes. SUSPENDS. A failure ends the process.
  void spill_if_large(runtime::Process& process, subquery::OuterShape& shape);
  /// The query is wanted anew.
  void discard();

  // -- the splice ---------------------------------------------------------------------------------

  /// The rows have their place among the items.
  void place(const subquery::Output::TakenRows& taken,
             std::vector<storage::SpilledRecords>& spilled);
  /// Takes all items but the last, if they are many; `spilled` gets them, among what is there.
  /// SUSPENDS. A failure ends the process.
  void spill_if_large(runtime::Process& process, std::vector<ContributedItem>& items,
                      std::vector<storage::SpilledRecords>& spilled);
  /// All that was spilled is placed. SUSPENDS. A failure ends the process.
  void finish(runtime::Process& process);

 private:
  void write(runtime::Process& process, std::string bytes);
  /// `after`: what follows the items in the log; null: something that is injected.
  storage::SpilledRecords write(runtime::Process& process, std::span<const ContributedItem> items,
                                const ContributedItem* after);

  Context context_;
  protocol::ShapeHandle handle_;
  std::vector<std::uint32_t> sizes_;  ///< of rows that have no place yet; they begin the segment
  std::uint64_t bytes_ = 0;           ///< of the segment
  std::vector<std::shared_ptr<storage::SpilledItems>> placed_;  ///< whose segment has no name yet
};

}  // namespace holdfast::stack
