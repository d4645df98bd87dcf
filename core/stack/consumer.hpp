// Consumer: one shape's side of the stream. It answers every delivery with a contribution, in
// order, and changes only its working state: what is durable is the store's, what is visible the
// status owner's. While its snapshot is not complete it buffers. It may die at any time: the
// collector starts it again from the store and redelivers (engine.md L-5 to L-7; design.md §7).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/shape/log_item.hpp"
#include "core/stack/context.hpp"
#include "core/stack/delivery.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_meta.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class Consumer : public runtime::Process {
 public:
  Consumer(Context context, ShapeMeta meta, runtime::Ref<ShapeLogCollector> collector)
      : context_(std::move(context)),
        meta_(std::move(meta)),
        encoding_key_(shape::encoding_key(*meta_.definition)),
        collector_(collector) {}

  // -- handlers -----------------------------------------------------------------------------------

  void deliver(std::shared_ptr<const Delivery> delivery);
  void start_snapshot();
  /// From this consumer's snapshotter.
  void snapshot_done(storage::SnapshotCompletion completion);
  void snapshot_failed(env::DatabaseError error);

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  /// Appends what a transaction adds to the log, if the snapshot does not contain it. False: it
  /// truncates the table, and the shape ends.
  bool convert(const DeliveredTransaction& delivered, std::vector<ContributedItem>& items);
  EncodedChanges::Items encode(const DeliveredTransaction& delivered, std::uint32_t change);
  bool seen_by_snapshot(const postgres::Transaction& transaction) const;
  void retry_snapshot();

  Context context_;
  ShapeMeta meta_;  ///< working state: its head runs ahead of the durable one
  const Hash128 encoding_key_;
  /// How the columns of the relation that changes came with last stand to the definition's.
  std::shared_ptr<const postgres::StreamRelation> mapped_relation_;
  std::optional<std::vector<std::uint16_t>> mapping_;
  runtime::Ref<ShapeLogCollector> collector_;
  std::vector<DeliveredTransaction> buffered_;  ///< until the snapshot is complete
  runtime::MonitorRef snapshotter_;
  unsigned snapshot_attempts_ = 0;
};

/// The spec under which the collector starts it.
runtime::ChildSpec consumer_child(Context context, ShapeMeta meta,
                                  runtime::Ref<ShapeLogCollector> collector);

}  // namespace holdfast::stack
