// The supervision tree as data: who is started by whom, in which order, under which strategy. Start
// goes from top to bottom, stop is the exact reverse (core/README.md has the picture; engine.md
// §1.1).
#pragma once

#include "core/runtime/supervisor.hpp"
#include "core/stack/context.hpp"

namespace holdfast::stack {

/// The root of one stack. When it ends, nothing of the stack lives.
runtime::SupervisorSpec stack_supervisor(Context context);

/// The shapes subsystem, started by ConnectionManager once the store is taken over.
runtime::ChildSpec shapes_child(Context context);

}  // namespace holdfast::stack
