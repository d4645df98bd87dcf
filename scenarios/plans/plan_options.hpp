// What a plan means to each part of the world that it is run in: options and the schedule.
#pragma once

#include <memory>

#include "core/api/engine.hpp"
#include "scenarios/run.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/postgres/options.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

/// nullptr: FIFO.
std::unique_ptr<sim::SchedulingStrategy> make_strategy(const Plan& plan);
sim::SimDiskOptions disk_options(const Plan& plan, sim::SimulatedExecutor& executor);
api::EngineOptions engine_options(const Plan& plan, const RunOptions& run);
sim::postgres::ModelOptions postgres_options(const Plan& plan, const RunOptions& run);

}  // namespace holdfast::scenarios
