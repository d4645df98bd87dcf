// Snapshotter: takes one shape's initial snapshot and hands it to the consumer whole. The table is
// published first; the snapshot is taken after the shape takes part in the stream, and again if it
// misses a transaction that the stream had already brought (I-13). Large ones go to the store in
// pieces. Until the completion commit nothing of it is visible; what is left behind by one whose
// consumer died is nobody's, and collected.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/stack/context.hpp"
#include "core/stack/log/snapshot_rows.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_meta.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class PlainConsumer;

class Snapshotter : public runtime::Process {
 public:
  Snapshotter(Context context, ShapeMeta meta, runtime::Ref<PlainConsumer> consumer,
              runtime::Ref<ShapeLogCollector> collector)
      : context_(std::move(context)),
        meta_(std::move(meta)),
        consumer_(consumer),
        collector_(collector) {}

  void run();

 protected:
  void init() override;

 private:
  env::DatabaseResult<storage::SnapshotCompletion> take(env::SnapshotRead& read);
  env::DatabaseResult<void> read_rows(env::SnapshotRead& read, SnapshotRows& rows);

  Context context_;
  ShapeMeta meta_;
  runtime::Ref<PlainConsumer> consumer_;
  runtime::Ref<ShapeLogCollector> collector_;
};

/// Uses a snapshot of the shape's table that sees all that the collector took before the shape, or
/// its query of this number (0: it has none), took part. SUSPENDS until there is one, and has no
/// session while it waits: whoever brings the stream up, which this waits for, needs one as well.
/// Ends the process if nobody wants the snapshot any more.
env::DatabaseResult<void> with_accepted_snapshot(
    runtime::Process& process, const StackContext& context,
    const runtime::Ref<ShapeLogCollector>& collector, const ShapeMeta& meta, std::uint64_t query,
    const std::function<env::DatabaseResult<void>(env::SnapshotRead&)>& use);

runtime::ChildSpec snapshotter_child(Context context, ShapeMeta meta,
                                     runtime::Ref<PlainConsumer> consumer,
                                     runtime::Ref<ShapeLogCollector> collector, unsigned attempt);

}  // namespace holdfast::stack
