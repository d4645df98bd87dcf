// Consumer: one shape's side of the stream. It answers every delivery with a contribution, in
// order, and changes only its working state: what is durable is the store's, what is visible the
// status owner's. It may die at any time: the collector starts it again from the store and
// redelivers (design.md §7). Two kinds: plain shapes, and those that keep state beside their log.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/stack/context.hpp"
#include "core/stack/log/delivery.hpp"
#include "core/stack/names.hpp"
#include "core/stack/shape_meta.hpp"

namespace holdfast::stack {

class Consumer : public runtime::Process {
 public:
  virtual void deliver(std::shared_ptr<const Delivery> delivery) = 0;

 protected:
  Consumer(Context context, ShapeMeta meta, runtime::Ref<ShapeLogCollector> collector)
      : context_(std::move(context)), meta_(std::move(meta)), collector_(collector) {}

  /// The change with its tuples in the definition's columns, if they come in others.
  std::optional<postgres::Change> remapped(const postgres::Change& change);
  /// Reports that a query failed. Where trying again is of no use the shape is removed, and the
  /// answer is false. Else the shape lives on and is tried again, and those who wait for its
  /// snapshot are told of locks and of slow queries (http-api.md §23.3).
  bool may_retry(const env::DatabaseError& error);
  /// How long to wait before an attempt, from 0.
  static Duration retry_delay(unsigned attempt);

  Context context_;
  ShapeMeta meta_;  ///< working state: its head runs ahead of the durable one
  runtime::Ref<ShapeLogCollector> collector_;

 private:
  /// How the columns of the relation that changes came with last stand to the definition's.
  std::shared_ptr<const postgres::StreamRelation> mapped_relation_;
  std::optional<std::vector<std::uint16_t>> mapping_;
};

/// The spec under which the collector starts it.
runtime::ChildSpec consumer_child(Context context, ShapeMeta meta,
                                  runtime::Ref<ShapeLogCollector> collector);

}  // namespace holdfast::stack
