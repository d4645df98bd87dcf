// The distinct id types of the runtime. All are values; none owns anything.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace holdfast::runtime {

/// Names one incarnation of one process, for ever: never reused within a run. Which bits mean what
/// is known to Runtime alone. Zero is "no process".
struct ProcessId {
  std::uint64_t value = 0;
  auto operator<=>(const ProcessId&) const = default;
  bool valid() const { return value != 0; }
};

struct MonitorRef {
  std::uint64_t value = 0;
  auto operator<=>(const MonitorRef&) const = default;
};

struct TimerRef {
  std::uint64_t value = 0;
  auto operator<=>(const TimerRef&) const = default;
};

/// A process known to be a P. Its id may be stale at any time: calls then exit with noproc.
template <class P>
struct Ref {
  ProcessId id;
  auto operator<=>(const Ref&) const = default;
};

/// A registered name of a P, looked up anew at each use.
template <class P>
struct Name {
  std::string text;
  explicit Name(std::string name) : text(std::move(name)) {}
};

}  // namespace holdfast::runtime
