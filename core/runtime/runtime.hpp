// One shard of the runtime: the processes that live on one thread, and what happens when signals
// reach them. Single-threaded; other threads come in through the Router. Everything of one engine
// instance: its Runtimes (one in the simulator) and the Directory they share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/runtime/directory.hpp"
#include "core/runtime/executor.hpp"
#include "core/runtime/observer.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/signal.hpp"

namespace holdfast::runtime {

struct RuntimeOptions {
  std::string root = {};  ///< first part of every path, e.g. "a" gives "/a/stack/core"
  unsigned shard = 0;     ///< below 256
  /// A process whose mailbox grows beyond this ends with crash{"mailbox_overflow"}.
  std::size_t mailbox_limit = 1'000'000;
  RuntimeObserver* observer = nullptr;  ///< outlives the Runtime; nullptr: nobody looks
};

struct Counters {
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;  ///< put into mailboxes
  std::uint64_t spawned = 0;
  std::uint64_t ended = 0;
  std::size_t live = 0;
};

struct ProcessInfo {
  ProcessId id;
  ProcessId parent;
  std::string path;
  std::string registered_name;
  std::size_t mailbox_size = 0;
  bool suspended = false;  ///< in the middle of a handler
  std::string waits_for;   ///< label of the suspension
  ProcessId callee;        ///< whom it waits for, if in a call
};

class Runtime {
 public:
  Runtime(RuntimeOptions options, Executor& executor, std::shared_ptr<Directory> directory,
          Router* router = nullptr);
  /// As destroy_all().
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // -- from outside: the server, the simulated world, tests
  // With a Router, from any thread except where marked.

  /// Starts a process without a parent and returns at once; a failed init() shows as its end.
  template <class P, class... Args>
  Ref<P> spawn_root(SpawnOptions options, Args&&... args) {
    return {start_root(std::move(options), make_factory<P>(std::forward<Args>(args)...))};
  }
  ProcessId start_root(SpawnOptions options, ProcessFactory make);
  /// A cast without a sender. To a missing process: nothing happens.
  template <auto Method, class Target, class... Args>
  void cast_from_outside(const Target& target, Args&&... args);
  void send_exit(ProcessId process, ExitReason reason);
  /// Ends it as a kill, on this shard's thread and outside fibers at once: when this returns its
  /// fiber is unwound, its tables are gone, and its monitors' Downs are in their mailboxes.
  void kill(ProcessId process);
  /// `observer` is told once, on the shard's thread; at once with noproc if there is no such
  /// process.
  void monitor_outside(ProcessId process, EndObserver observer);
  ProcessId whereis(std::string_view name) const { return directory_->find_name(name); }

  // -- on this shard's thread ---------------------------------------------------------------------

  /// kill -9 of the instance at this instant: every process is unwound and destroyed, no handler
  /// and no terminate() runs, nobody is told. Workers go on (design.md §5). REQUIRES: outside
  /// fibers.
  void destroy_all();
  bool destroyed() const { return destroyed_; }
  bool alive(ProcessId process) const { return find(process) != nullptr; }
  std::string path_of(ProcessId process) const;
  /// In order of their ids, that is of their start.
  std::vector<ProcessInfo> processes() const;
  const Counters& counters() const { return counters_; }

  Executor& executor() const { return executor_; }
  Directory& directory() const { return *directory_; }
  const RuntimeOptions& options() const { return options_; }
  Instant now() const { return executor_.clock().now(); }
  unsigned shard_of(ProcessId process) const { return process.value & 0xff; }

  // -- for the runtime itself and for routers -----------------------------------------------------

  /// A signal that was routed to this shard.
  void apply(Signal signal);
  void send(Signal signal);
  void deliver(ProcessId to, std::unique_ptr<Envelope> envelope);
  void complete_call(ProcessId caller, std::uint64_t call_id, std::unique_ptr<ReplyBox> reply);
  void fail_call(ProcessId caller, std::uint64_t call_id, const ExitReason& reason);
  /// Decides id, path and shard of a child, and sends it on its way.
  ProcessId request_spawn(ProcessRecord* parent, SpawnOptions options, ProcessFactory make,
                          std::uint64_t call_id);
  ProcessRecord* find(ProcessId process) const;
  void run(ProcessRecord& record);
  std::uint64_t new_reference() { return (++last_reference_ << 8) | options_.shard; }

  template <class P, class... Args>
  static ProcessFactory make_factory(Args&&... args);

 private:
  friend struct ProcessRecord;
  bool is_local(ProcessId process) const {
    return router_ == nullptr || shard_of(process) == options_.shard;
  }
  void from_outside(Signal signal);
  void push(ProcessRecord& record, std::unique_ptr<Envelope> envelope);
  void nudge(ProcessRecord& record);
  void start(SpawnRequest request);
  void exit_request(ProcessRecord& record, const ExitReason& reason);
  void linked_exit(ProcessRecord& record, ProcessId from, const ExitReason& reason);
  void kill_now(ProcessRecord& record);
  void mark_killed(ProcessRecord& record);
  void down(ProcessRecord& record, MonitorRef monitor, ProcessId from, const ExitReason& reason);
  void add_monitor(const Signal& signal);
  void add_link(const Signal& signal);
  void finish(ProcessRecord& record, const ExitReason& reason);
  void tell_others(ProcessRecord& record, const ExitReason& reason);

  RuntimeOptions options_;
  Executor& executor_;
  std::shared_ptr<Directory> directory_;
  Router* router_;
  // Never iterated into anything observable.
  std::unordered_map<std::uint64_t, std::unique_ptr<ProcessRecord>> records_;
  std::uint64_t last_reference_ = 0;
  Counters counters_;
  bool destroyed_ = false;
};

}  // namespace holdfast::runtime

#include "core/runtime/runtime_inline.hpp"
