// Mover: runs one query that a shape with subqueries, or an inner one, wants, and hands its
// snapshot and rows to the consumer: the rows that a change of its views brings in, or all rows at
// first. The table is published before; the snapshot sees all that was taken from the stream until
// the query was wanted (F-64).
#pragma once

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_meta.hpp"
#include "core/subquery/outer_shape.hpp"

namespace holdfast::stack {

class SubqueryConsumer;

class Mover : public runtime::Process {
 public:
  Mover(Context context, ShapeMeta meta, runtime::Ref<SubqueryConsumer> consumer,
        runtime::Ref<ShapeLogCollector> collector, subquery::WantedQuery query)
      : context_(std::move(context)),
        meta_(std::move(meta)),
        consumer_(consumer),
        collector_(collector),
        query_(std::move(query)) {}

  void run();

 protected:
  void init() override;

 private:
  env::DatabaseResult<void> fetch(env::SnapshotRead& read);
  env::DatabaseResult<void> fetch_rows(env::SnapshotRead& read);

  Context context_;
  ShapeMeta meta_;
  runtime::Ref<SubqueryConsumer> consumer_;
  runtime::Ref<ShapeLogCollector> collector_;
  subquery::WantedQuery query_;
};

runtime::ChildSpec mover_child(Context context, ShapeMeta meta,
                               runtime::Ref<SubqueryConsumer> consumer,
                               runtime::Ref<ShapeLogCollector> collector,
                               subquery::WantedQuery query);

}  // namespace holdfast::stack
