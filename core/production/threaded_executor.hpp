// The threaded executor: an engine instance on several threads, each a shard with its own
// processes, timers and fibers. Messages between shards go through one inbox a shard. A process
// never changes its shard; which one it gets is decided at its start (Placement). Not for use on
// its own fibers except where the runtime calls in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/env/clock.hpp"
#include "core/env/random.hpp"
#include "core/production/activity.hpp"
#include "core/runtime/executor.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::production {

class Shard;
class ThreadWorker;

/// The shard of a new process, below `shards`. Thread-safe, and a function of its arguments.
using Placement = std::function<unsigned(runtime::ProcessId parent,
                                         const runtime::SpawnOptions& options, unsigned shards)>;

/// Children with a key (consumers, snapshotters, requests) spread by role and key; what has none
/// lives with its parent, so that the fixed part of the supervision tree shares one shard.
Placement spread_by_key();

struct ThreadedExecutorOptions {
  std::string root = "holdfast";  ///< first part of the paths of processes
  unsigned shards = 1;            ///< 1 to 64
  std::size_t mailbox_limit = 1'000'000;
  Placement placement = spread_by_key();
};

class ThreadedExecutor final : public runtime::Router {
 public:
  /// Starts the threads. `clock` and `random` are thread-safe and outlive the executor.
  ThreadedExecutor(ThreadedExecutorOptions options, env::Clock& clock, env::Random& random);
  /// stop(). REQUIRES: nobody fires a Wakeup of its fibers any more: its workers are destroyed.
  ~ThreadedExecutor() override;

  /// The runtime through which the world outside reaches the instance (spawn_root,
  /// cast_from_outside, send_exit, kill, monitor_outside, whereis: any thread).
  runtime::Runtime& runtime();
  /// A worker thread that wakes this executor's processes. Destroy it after stop() and before the
  /// executor.
  std::unique_ptr<ThreadWorker> make_worker(const std::string& name);

  /// Runs `f` between two steps of a shard and waits for its end. Not on a shard's thread.
  void run_on(unsigned shard, std::function<void(runtime::Runtime&)> f);
  unsigned shards() const { return static_cast<unsigned>(shards_.size()); }

  /// Destroys every process at once, as kill -9 would, and joins the threads. What should end in
  /// order is stopped through its supervisor first. May be called twice.
  void stop();

  // -- for tests ----------------------------------------------------------------------------------

  /// Waits until nothing is runnable, no message and no job is under way. The time of the earliest
  /// timer, Instant::never() without one; nullopt: not at rest within `limit`.
  std::optional<Instant> wait_until_at_rest(std::chrono::milliseconds limit);
  /// At rest, keeps every shard there until release(): what the test does meanwhile from outside is
  /// applied as a whole, before any process runs.
  void hold();
  void release();
  /// The clock has jumped: each shard looks at its timers again.
  void look_at_clock();

  // -- runtime::Router ----------------------------------------------------------------------------

  unsigned shard_for(runtime::ProcessId parent, const runtime::SpawnOptions& options) override;
  void route(unsigned shard, runtime::Signal&& signal) override;

 private:
  ThreadedExecutorOptions options_;
  Activity activity_;
  std::vector<std::unique_ptr<Shard>> shards_;
  bool stopped_ = false;
};

}  // namespace holdfast::production
