#include "core/runtime/exit_reason.hpp"

namespace holdfast::runtime {

std::string ExitReason::to_string() const {
  switch (kind) {
    case ExitKind::normal:
      return "normal";
    case ExitKind::shutdown:
      switch (cause) {
        case ShutdownCause::teardown:
          return "shutdown";
        case ShutdownCause::removed:
          return "shutdown(removed)";
        case ShutdownCause::suspended:
          return "shutdown(suspended)";
      }
      break;
    case ExitKind::killed:
      return "killed";
    case ExitKind::noproc:
      return "noproc";
    case ExitKind::timeout:
      return "timeout";
    case ExitKind::crash:
      return "crash(" + what + ")";
  }
  return "invalid";
}

}  // namespace holdfast::runtime
