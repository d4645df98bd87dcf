// What a choice is like, made plainer: pauses gone, one writer, no where clause. These do not count
// as choices; a repro is read more easily without them.
#pragma once

#include <cstddef>

#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// How many simplifications would change this plan.
std::size_t count_simplifications(const Plan& plan);
/// With simplifications [first, last) applied.
Plan simplified(const Plan& plan, std::size_t first, std::size_t last);

}  // namespace holdfast::scenarios
