#include "scenarios/plans/plan_options.hpp"

namespace holdfast::scenarios {

std::unique_ptr<sim::SchedulingStrategy> make_strategy(const Plan& plan) {
  const std::uint64_t seed = combine64(plan.seed, hash64("schedule"));
  switch (plan.strategy) {
    case StrategyKind::fifo:
      return nullptr;
    case StrategyKind::uniform:
      return std::make_unique<sim::UniformRandomStrategy>(seed);
    case StrategyKind::pct1:
      return std::make_unique<sim::PctStrategy>(seed, 1);
    case StrategyKind::pct2:
      return std::make_unique<sim::PctStrategy>(seed, 2);
    case StrategyKind::pct3:
      return std::make_unique<sim::PctStrategy>(seed, 3);
    case StrategyKind::pct5:
      return std::make_unique<sim::PctStrategy>(seed, 5);
    case StrategyKind::weighted:
      return std::make_unique<sim::WeightedRandomStrategy>(seed);
    case StrategyKind::racing1:
      return std::make_unique<sim::RacingPairStrategy>(seed, 1);
    case StrategyKind::racing3:
      return std::make_unique<sim::RacingPairStrategy>(seed, 3);
    case StrategyKind::scripted:
      return std::make_unique<sim::ScriptedStrategy>(plan.decisions);
  }
  ASSERT(false, "every strategy can be made");
}

sim::SimDiskOptions disk_options(const Plan& plan, sim::SimulatedExecutor& executor) {
  sim::SimDiskOptions options{.random = executor.random(), .path = hash64("/disk")};
  options.wall_time = [&executor] { return executor.clock().wall_time(); };
  options.pause = [](const char* label, Duration latency) {
    runtime::suspend(label, runtime::current_time() + latency, [](runtime::Wakeup) {});
  };
  for (std::size_t kind = 0; kind < sim::k_operation_kinds; ++kind)
    if (plan.knobs.disk_yields_everywhere) options.latency[kind] = Duration{0};
  for (const auto kind : {sim::OperationKind::sync, sim::OperationKind::sync_directory})
    options.latency[static_cast<std::size_t>(kind)] = plan.knobs.disk_sync_latency;
  return options;
}

api::EngineOptions engine_options(const Plan& plan, const RunOptions& run) {
  api::EngineOptions options;
  options.guards = run.weakened.guards;
  options.stack.fragment_bytes = plan.knobs.fragment_bytes;
  options.stack.bytes_under_way_max = plan.knobs.bytes_under_way_max;
  options.stack.connection_pool_size = plan.knobs.connection_pool_size;
  options.stack.snapshot_wait = plan.knobs.snapshot_wait;
  options.stack.standby_poll = plan.knobs.standby_poll;
  options.stack.reconnect_backoff_min = plan.knobs.reconnect_backoff_min;
  options.stack.reconnect_backoff_max = plan.knobs.reconnect_backoff_max;
  options.stack.status_interval = plan.knobs.status_interval;
  options.api.long_poll_timeout = plan.knobs.long_poll_timeout;
  options.api.max_initial_requests = plan.knobs.max_initial_requests;
  options.api.stack_ready_timeout = plan.knobs.stack_ready_timeout;
  if (plan.knobs.max_shapes > 0) options.stack.max_shapes = plan.knobs.max_shapes;
  options.stack.quarantine_retry = plan.knobs.quarantine_retry;
  options.stack.quarantine_bytes_max = plan.knobs.quarantine_bytes_max;
  options.stack.expiry_interval = plan.knobs.expiry_interval;
  options.stack.schema_reconciler_period = plan.knobs.schema_reconciler_period;
  options.stack.manual_table_publishing = plan.knobs.manual_publishing != 0;
  options.stack.store.guards = run.weakened.guards;
  options.stack.store.directory = "/data";
  options.stack.store.owner = options.stack.slot;
  options.stack.store.chunk_bytes = plan.knobs.chunk_bytes;
  options.stack.store.inline_snapshot_bytes = plan.knobs.inline_snapshot_bytes;
  options.stack.store.journal_bytes = plan.knobs.journal_bytes;
  options.api.authentication = api::Authentication::insecure;
  options.api.deletion = api::Deletion::allowed;
  return options;
}

sim::postgres::ModelOptions postgres_options(const Plan& plan, const RunOptions& run) {
  sim::postgres::ModelOptions options;
  options.first_xid = {plan.knobs.first_xid};
  options.first_lsn = {plan.knobs.first_lsn};
  options.ragged_receive_percent = plan.knobs.ragged_receive_percent;
  options.wal_sender_timeout = plan.knobs.wal_sender_timeout;
  if (run.reused != nullptr) options.condition_trees = &run.reused->condition_trees;
  if (run.adjust_postgres) run.adjust_postgres(options);
  return options;
}

}  // namespace holdfast::scenarios
