// The rows of a snapshot on their way to the store, in the order in which they will be served: the
// chunk rule applied, large ones spilled to a segment in pieces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

/// Rows are held up to so many bytes; then they go to the store.
std::size_t spill_bytes(const StackOptions& options);

class SnapshotRows {
 public:
  SnapshotRows(Context context, protocol::ShapeHandle handle)
      : context_(std::move(context)), handle_(std::move(handle)) {}

  /// Where the next row's JSON is to be appended, between begin_row() and end_row().
  std::string& begin_row();
  void end_row();
  /// To be called now and then: spills what is large. `process` is whose segment it becomes.
  /// SUSPENDS. A failure ends the process.
  void spill_if_large(runtime::Process& process);
  /// With the snapshot-end line. SUSPENDS. A failure ends the process.
  storage::SnapshotCompletion finish(runtime::Process& process, const postgres::Snapshot& snapshot);

 private:
  void spill(runtime::Process& process);

  Context context_;
  protocol::ShapeHandle handle_;
  storage::SnapshotContent content_;
  std::uint64_t spilled_bytes_ = 0;
  std::uint64_t chunk_start_ = 0;
};

}  // namespace holdfast::stack
