// Stopping a run in a debugger at a step that somebody wants to look at.
#pragma once

#include <string>
#include <vector>

namespace holdfast::tools {

/// A debugger follows this process.
bool in_debugger();
/// The debugger stops here; up one frame is the step that is about to run.
void stop_in_debugger();
/// On a terminal: becomes gdb, which runs the command. Elsewhere, or without gdb: prints the
/// command to paste and answers the exit code of a usage error.
int start_debugger(const std::vector<std::string>& command_line);

}  // namespace holdfast::tools
