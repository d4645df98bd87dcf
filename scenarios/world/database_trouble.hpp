// What goes wrong in Postgres itself, as parts of a plan: crashes that lose asynchronous commits,
// tables truncated under a snapshot, commits that wait for a standby, slots that somebody replaces.
// Each needs a shape to be born at the wrong moment, so each also delays one.
#pragma once

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// Adds each kind of trouble to some plans; its draws are its own. REQUIRES: the rest of the plan.
void plan_database_trouble(Plan& plan, const Draws& draws);

}  // namespace holdfast::scenarios
