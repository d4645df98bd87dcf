// Why a process ended: a closed type. Whoever handles "the callee is gone" handles every kind,
// since upstream's fix for bug 6 listed reasons and left out `killed` (design.md §5, engine.md
// §1.4).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace holdfast::runtime {

enum class ExitKind : std::uint8_t {
  normal,    ///< its work was done
  shutdown,  ///< asked to stop by its supervisor, or stopped itself with a ShutdownCause
  killed,    ///< ended at its next suspension point; no terminate() ran
  noproc,    ///< seen by callers only: there was no such process when the message arrived
  timeout,   ///< seen by callers only: the deadline of the call passed; the callee may still answer
  crash,     ///< a fault; `what` says which
};

/// What a process that stops itself with ExitKind::shutdown wants its monitors to know.
enum class ShutdownCause : std::uint8_t { teardown, removed, suspended };

struct ExitReason {
  ExitKind kind = ExitKind::normal;
  ShutdownCause cause = ShutdownCause::teardown;  ///< meaningful for ExitKind::shutdown only
  std::string what;                               ///< meaningful for ExitKind::crash only

  static ExitReason normal() { return {}; }
  static ExitReason shutdown(ShutdownCause cause = ShutdownCause::teardown) {
    return {ExitKind::shutdown, cause, {}};
  }
  static ExitReason killed() { return {ExitKind::killed, {}, {}}; }
  static ExitReason noproc() { return {ExitKind::noproc, {}, {}}; }
  static ExitReason timeout() { return {ExitKind::timeout, {}, {}}; }
  static ExitReason crash(std::string what) { return {ExitKind::crash, {}, std::move(what)}; }
  /// An owned table was read with at() after its owner's death (design.md §5).
  static ExitReason table_gone() { return crash("table_gone"); }

  bool operator==(const ExitReason&) const = default;
  /// "shutdown(removed)", "crash(table_gone)", "noproc", …
  std::string to_string() const;
};

}  // namespace holdfast::runtime
