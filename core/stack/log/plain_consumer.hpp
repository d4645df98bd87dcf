// PlainConsumer: the consumer of a shape without subqueries. While its snapshot is not complete it
// buffers; then it turns changes into records of the log (engine.md L-5 to L-7).
#pragma once

#include <memory>
#include <vector>

#include "core/base/hash.hpp"
#include "core/shape/log_item.hpp"
#include "core/stack/log/consumer.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class PlainConsumer : public Consumer {
 public:
  PlainConsumer(Context context, ShapeMeta meta, runtime::Ref<ShapeLogCollector> collector)
      : Consumer(std::move(context), std::move(meta), collector),
        encoding_key_(shape::encoding_key(*meta_.definition)) {}

  // -- handlers -----------------------------------------------------------------------------------

  void deliver(std::shared_ptr<const Delivery> delivery) override;
  void start_snapshot();
  /// From this consumer's snapshotter.
  void snapshot_done(storage::SnapshotCompletion completion);
  void snapshot_failed(env::DatabaseError error);

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  /// Appends what a transaction adds to the log, if the snapshot does not contain it. Answers why
  /// the shape ends with it; empty: it does not.
  std::string_view convert(const DeliveredTransaction& delivered,
                           std::vector<ContributedItem>& items);
  EncodedChanges::Items encode(const DeliveredTransaction& delivered, std::uint32_t change);
  bool seen_by_snapshot(const postgres::Transaction& transaction) const;
  void retry_snapshot();

  const Hash128 encoding_key_;
  std::vector<DeliveredTransaction> buffered_;  ///< until the snapshot is complete
  runtime::MonitorRef snapshotter_;
  unsigned snapshot_attempts_ = 0;
};

}  // namespace holdfast::stack
