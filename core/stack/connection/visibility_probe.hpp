// VisibilityProbe: asks Postgres once what a snapshot sees now, and tells the collector. A process
// of its own, since the collector waits for nobody, with a connection of its own, since the pool
// may be in the hands of long snapshots and what is not confirmed keeps WAL.
#pragma once

#include <cstdint>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/context.hpp"

namespace holdfast::stack {

class ShapeLogCollector;

class VisibilityProbe : public runtime::Process {
 public:
  VisibilityProbe(Context context, runtime::Ref<ShapeLogCollector> collector, SharedSession session)
      : context_(std::move(context)), collector_(collector), session_(std::move(session)) {}

  /// Answers by ShapeLogCollector::visible() or server_shuts_down(); if Postgres answers neither,
  /// by its end alone.
  void run();

 protected:
  void init() override;

 private:
  env::DatabaseResult<postgres::Snapshot> ask();

  Context context_;
  runtime::Ref<ShapeLogCollector> collector_;
  SharedSession session_;  ///< of the probe before; null: there is none
};

runtime::ChildSpec visibility_probe_child(Context context,
                                          runtime::Ref<ShapeLogCollector> collector,
                                          std::uint64_t number, SharedSession session);

}  // namespace holdfast::stack
