// A private stack of 1 MiB for work that needs more than a process's fiber has: libpg_query on
// deeply nested text, and the evaluation of what came out. The work neither suspends nor throws.
#pragma once

#include <functional>

namespace holdfast::sim::postgres {

/// Runs `work` to its end. REQUIRES: no exception leaves it.
void on_big_stack(const std::function<void()>& work);

}  // namespace holdfast::sim::postgres
