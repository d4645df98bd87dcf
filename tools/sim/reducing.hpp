// Reduction as the commands do it: candidates in a child process, a budget, progress for people.
#pragma once

#include "scenarios/reduction/shrink.hpp"
#include "tools/sim/commands/commands.hpp"

namespace holdfast::tools {

Result<scenarios::ShrinkResult> reduce(const scenarios::Repro& failing, const Budget& budget);
/// What is left, and why each of it is needed.
void print_reduction(const scenarios::ShrinkResult& result);

}  // namespace holdfast::tools
