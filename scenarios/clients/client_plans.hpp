// Plans what clients do beside asking in turn: each family in a part of the histories, by draws of
// its own.
#pragma once

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// REQUIRES: shapes and clients are planned.
void plan_client_trouble(Plan& plan, const Draws& draws);

}  // namespace holdfast::scenarios
