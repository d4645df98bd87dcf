// Swarm testing of whole plans (design.md §8): a part of the histories has storms, bursts of faults
// with calm between them; of each plan some families of trouble are taken away, so that others get
// through to where these would have stopped them; and a budget keeps the run recoverable.
#pragma once

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// REQUIRES: everything else is planned.
void plan_swarm(Plan& plan, const Draws& draws);

/// What a fault costs a run, of `k_fault_budget` that it has: about how long it takes to recover.
unsigned cost_of(FaultKind kind);
inline constexpr unsigned k_fault_budget = 14;

}  // namespace holdfast::scenarios
