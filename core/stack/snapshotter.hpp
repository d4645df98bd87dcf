// Snapshotter: takes one shape's initial snapshot and hands it to the consumer whole. The table is
// published first; the snapshot is taken after the shape takes part in the stream, and again if it
// misses a transaction that the stream had already brought (I-13). Large ones go to the store in
// pieces. Until the completion commit nothing of it is visible; what is left behind by one whose
// consumer died is nobody's, and collected.
#pragma once

#include <optional>
#include <string>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_meta.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class Consumer;

class Snapshotter : public runtime::Process {
 public:
  Snapshotter(Context context, ShapeMeta meta, runtime::Ref<Consumer> consumer,
              runtime::Ref<ShapeLogCollector> collector)
      : context_(std::move(context)),
        meta_(std::move(meta)),
        consumer_(consumer),
        collector_(collector) {}

  void run();

 protected:
  void init() override;

 private:
  env::DatabaseResult<storage::SnapshotCompletion> take(env::QuerySession& session);
  /// Reads all rows of the started query into `content`, spilling to the store.
  env::DatabaseResult<void> read_rows(env::SnapshotRead& read, storage::SnapshotContent& content);
  void spill(std::string& bytes);

  Context context_;
  ShapeMeta meta_;
  runtime::Ref<Consumer> consumer_;
  runtime::Ref<ShapeLogCollector> collector_;
  std::uint64_t spilled_bytes_ = 0;
};

runtime::ChildSpec snapshotter_child(Context context, ShapeMeta meta,
                                     runtime::Ref<Consumer> consumer,
                                     runtime::Ref<ShapeLogCollector> collector, unsigned attempt);

}  // namespace holdfast::stack
