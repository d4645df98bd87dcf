// What the simulated disk tells the world about each operation, and what the world may answer: the
// hooks for faults, for the trace and for waiting. No state and no behaviour here.
//
// Every operation of a live mount goes through the same four steps: it is numbered, `DiskFaults`
// decides its fate, it waits (`Pause`), it takes effect as one atomic step; then `DiskObserver`
// sees it. A crash in `decide` is a crash before the operation, a crash in `on_operation` one after
// it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"
#include "core/env/disk.hpp"

namespace holdfast::sim {

enum class OperationKind : std::uint8_t {
  open,    ///< an existing file
  create,  ///< a new file, or an anonymous temporary one
  read,
  write,
  truncate,
  sync,
  sync_directory,
  remove,
  create_directory,
  list,
  stat,           ///< size or existence
  lock,           ///< SQLite's SHARED … EXCLUSIVE
  shared_memory,  ///< map or lock of SQLite's WAL index
};
inline constexpr std::size_t k_operation_kinds = 13;

/// "disk.read" and so on: the label of a wait.
const char* operation_label(OperationKind kind);
/// "read" and so on: for people.
std::string_view operation_name(OperationKind kind);

struct Operation {
  std::uint64_t number = 0;   ///< 1, 2, … over the life of the disk
  std::uint64_t ordinal = 0;  ///< 1, 2, … within (mount, kind): stable when other kinds change
  OperationKind kind = OperationKind::read;
  std::uint64_t incarnation = 0;  ///< of the mount that asked
  std::string_view path;          ///< valid during the hook only; empty for a temporary file
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  std::optional<env::DiskFailure> failure;  ///< for the observer: how it ended
  bool without_effect = false;              ///< as decided
};

/// What shall happen to one operation. The default is: nothing special.
struct FaultDecision {
  Duration stall{0};  ///< waits this much longer, in virtual time
  /// `io` or `no_space`: the operation fails with it. A failed sync leaves what it covered kept or
  /// dropped on the platter, readable in the cache, and no later sync writes it again.
  std::optional<env::DiskFailure> failure;
  /// Of a failing write: so many leading bytes reach the page cache all the same.
  std::uint64_t written_prefix_bytes = 0;
  /// A sync that answers ok, as a drive with a volatile cache does, and makes nothing durable.
  bool without_effect = false;
};

class DiskFaults {
 public:
  virtual ~DiskFaults() = default;
  /// Called before the operation waits or has an effect. May kill the mount or cut the power.
  virtual FaultDecision decide(const Operation& operation) = 0;
};

class DiskObserver {
 public:
  virtual ~DiskObserver() = default;
  /// Called after the effect, or after the failure. May kill the mount or cut the power; the caller
  /// of the operation is then told `dead` although it took effect.
  virtual void on_operation(const Operation& operation) = 0;
};

/// Waits in virtual time. `label` names the wait ("disk.sync"). May suspend the calling fiber, must
/// not throw: the frames below belong to SQLite.
using Pause = std::function<void(const char* label, Duration latency)>;

/// Latency per kind of operation. nullopt: never waits; zero: a point where others may run.
using Latencies = std::array<std::optional<Duration>, k_operation_kinds>;

}  // namespace holdfast::sim
