// Whether a plan that was read from a file can be run at all: what it names is there, once, and
// within bounds. Generated plans always can; files are edited by hand.
#pragma once

#include "scenarios/plans/plan.hpp"
#include "scenarios/repro/strict_json.hpp"

namespace holdfast::scenarios {

class Complaint;

/// Complains with the line of the part that cannot stand. REQUIRES: `json` is what `plan` was read
/// from.
void check_references(const Plan& plan, const JsonValue& json, Complaint& complaint);

}  // namespace holdfast::scenarios
