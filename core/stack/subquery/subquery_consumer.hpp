// SubqueryConsumer: the consumer of a shape with subqueries, or of what a subquery selects. It
// drives subquery::OuterShape: gives it deliveries and the answers of its queries, and contributes
// what comes of them: items, state, moves of its own result, how it is to be routed. After a start
// it carries on from what the store holds and subscribes to its inner shapes (engine.md §8).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/stack/log/consumer.hpp"
#include "core/stack/log/snapshot_rows.hpp"
#include "core/stack/subquery/materializer.hpp"
#include "core/stack/subquery/move_rows.hpp"
#include "core/subquery/outer_shape.hpp"

namespace holdfast::stack {

class SubqueryConsumer : public Consumer {
 public:
  SubqueryConsumer(Context context, ShapeMeta meta, runtime::Ref<ShapeLogCollector> collector)
      : Consumer(std::move(context), std::move(meta), collector),
        move_rows_(context_, meta_.handle) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// Reads what the store holds; the first message.
  void load();
  void deliver(std::shared_ptr<const Delivery> delivery) override;

  // From the mover of the attempt; of a void attempt nothing is taken.
  void query_snapshot(std::uint64_t attempt, postgres::Snapshot snapshot);
  void query_rows(std::uint64_t attempt, std::shared_ptr<const postgres::RowBatch> batch);
  void query_complete(std::uint64_t attempt);
  void query_failed(std::uint64_t attempt, env::DatabaseError error);
  void retry_query(std::uint64_t attempt);

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  bool inner() const { return meta_.role == storage::ShapeRole::inner; }
  subquery::OuterShape::Options options() const;
  void start_materializer(Materializer::Entries stored);
  void begin(subquery::Views views);
  /// The consecutive parts of one transaction, in the definition's columns.
  subquery::OuterTransaction whole(const Delivery& delivery, std::size_t first, std::size_t end);
  /// Answers why the shape ends with one of them; empty: it does not.
  std::string_view take_transactions(const Delivery& delivery);

  /// Adds what an input led to, to what is contributed next. SUSPENDS where that is a splice of
  /// more than one piece.
  void absorb(subquery::Output output);
  void absorb_piece(subquery::Output output);
  std::vector<subquery::StateDelta> load_waiting(const std::string& from);
  void complete_snapshot();
  /// Contributes what was absorbed, as the answer to a batch, or by itself (0) if there is
  /// anything.
  void contribute(BatchNumber batch, bool wants_values = false);
  /// What the changes of the rows make of the result, from the materializer.
  void apply_to_result(SubqueryPart& part);
  /// Runs `ask`, which calls the materializer. B6: it may end at any time, for whatever reason.
  template <class F>
  auto ask_materializer(F ask);
  void start_query();

  std::optional<subquery::OuterShape> shape_;  ///< none: the views are not known yet
  /// What ends the shape was contributed. Its state lacks that, and nobody wants what follows.
  bool ended_ = false;
  std::optional<runtime::Ref<Materializer>> materializer_;
  std::optional<SnapshotRows> snapshot_rows_;
  MoveRows move_rows_;
  postgres::Snapshot query_snapshot_;

  /// As contributed last; none: what is said of it may be anything.
  std::optional<postgres::Lsn> waiting_from_ = postgres::Lsn{};

  // What was absorbed.
  std::vector<ContributedItem> items_;
  std::shared_ptr<SubqueryPart> part_;
  std::vector<subquery::InnerChange> inner_changes_;
  std::vector<std::uint64_t> txids_;
  std::optional<subquery::WantedQuery> wanted_;  ///< not run yet

  std::optional<std::uint64_t> attempt_;  ///< whose mover runs
  runtime::MonitorRef mover_;
  runtime::ProcessId mover_id_;
  unsigned failures_ = 0;
};

}  // namespace holdfast::stack
