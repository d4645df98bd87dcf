// `holdfast serve`: everything made in order, run until a signal, taken down in reverse.
#pragma once

#include "core/production/config.hpp"

namespace holdfast::production {

/// The exit codes of `holdfast serve`.
inline constexpr int k_exit_stopped = 0;
inline constexpr int k_exit_cannot_start = 1;
inline constexpr int k_exit_bad_configuration = 2;

/// Reads the environment of this process.
Environment process_environment();

/// Serves until SIGTERM or SIGINT; a second signal ends the process at once. Returns the exit code.
int serve(const Environment& environment);

}  // namespace holdfast::production
