// Which plans have tables altered, when and how.
#pragma once

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// Adds one to three alterations. REQUIRES: the rest of the plan.
void add_alterations(Plan& plan, const Draws& draws);
/// Adds alterations to some plans; its draws are its own. REQUIRES: the rest of the plan.
void plan_alterations(Plan& plan, const Draws& draws);

}  // namespace holdfast::scenarios
