// Plans as JSON, so that a run can be kept, edited by hand and run again without the generators.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "scenarios/plans/plan.hpp"
#include "scenarios/repro/strict_json.hpp"

namespace holdfast::scenarios {

class Complaint;

/// Everything but scenario and seed, which stand beside the plan.
nlohmann::ordered_json plan_to_json(const Plan& plan);
/// Fills all but scenario and seed. What a run could not be made from (a client of a shape that is
/// not there) is a complaint too.
void plan_from_json(const JsonValue& json, Plan& plan, Complaint& complaint);

}  // namespace holdfast::scenarios
