// The rows of one move on their way to the log, when there are more than are to be held: they go to
// a segment of the store piece by piece, and the commit of their splice refers to it. Of no attempt
// but the latest anything is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
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
  /// They have their place. SUSPENDS. A failure ends the process.
  storage::SpilledRecords place(runtime::Process& process,
                                const subquery::Output::TakenRows& taken);

 private:
  Context context_;
  protocol::ShapeHandle handle_;
  std::vector<std::uint32_t> sizes_;
  std::uint64_t bytes_ = 0;
};

}  // namespace holdfast::stack
