// Which plans have tables altered, when and how.
#pragma once

#include "scenarios/draws.hpp"
#include "scenarios/plan.hpp"

namespace holdfast::scenarios {

/// Adds alterations to some plans; its draws are its own. REQUIRES: the rest of the plan.
void plan_alterations(Plan& plan, const Draws& draws);

}  // namespace holdfast::scenarios
