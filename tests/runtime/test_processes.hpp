// Processes that runtime tests are made of: Scripted runs one function as a process, Log collects
// lines from anywhere.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/spin_lock.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::test {

class Log {
 public:
  void add(std::string line) {
    const SpinGuard guard(lock_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const SpinGuard guard(lock_);
    return lines_;
  }
  std::vector<std::string> sorted() const {
    std::vector<std::string> all = lines();
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  mutable SpinLock lock_;
  std::vector<std::string> lines_;
};

using Lines = std::vector<std::string>;

/// A process whose callbacks are functions. `run` is its first message, so it may call siblings.
class Scripted : public runtime::Process {
 public:
  struct Script {
    std::function<void(Scripted&)> init = {};
    std::function<void(Scripted&)> run = {};
    std::function<void(Scripted&, const runtime::ExitReason&)> terminate = {};
    std::function<void(Scripted&, runtime::ProcessId, const runtime::ExitReason&)> down = {};
    std::function<void(Scripted&, runtime::ProcessId, const runtime::ExitReason&)> linked_exit = {};
  };
  explicit Scripted(Script script) : script_(std::move(script)) {}

  void init() override {
    if (script_.init) script_.init(*this);
    if (script_.run) cast<&Scripted::begin>(runtime::Ref<Scripted>{self()});
  }
  void terminate(const runtime::ExitReason& reason) override {
    if (script_.terminate) script_.terminate(*this, reason);
  }
  void on_down(runtime::MonitorRef, runtime::ProcessId ended,
               const runtime::ExitReason& reason) override {
    if (script_.down) script_.down(*this, ended, reason);
  }
  void on_linked_exit(runtime::ProcessId ended, const runtime::ExitReason& reason) override {
    if (script_.linked_exit) script_.linked_exit(*this, ended, reason);
  }
  void begin() { script_.run(*this); }
  /// Runs a function in this process, as a message.
  void perform(const std::function<void(Scripted&)>& task) { task(*this); }

  using Process::call;
  using Process::call_within;
  using Process::cancel;
  using Process::cast;
  using Process::demonitor;
  using Process::draw;
  using Process::exit;
  using Process::link;
  using Process::monitor;
  using Process::now;
  using Process::runtime;
  using Process::send_after;
  using Process::send_exit;
  using Process::sleep;
  using Process::spawn;
  using Process::trap_exits;
  using Process::unlink;
  using Process::yield_point;

  template <class F>
  static std::string exit_of(F&& attempt) {
    try {
      attempt();
      return "returned";
    } catch (const runtime::ProcessExit& exit) {
      return exit.reason.to_string();
    }
  }

 private:
  Script script_;
};

/// Starts a Scripted that runs `run`.
inline runtime::Ref<Scripted> start(runtime::Runtime& runtime, std::string role,
                                    std::function<void(Scripted&)> run) {
  return runtime.spawn_root<Scripted>({.role = std::move(role)},
                                      Scripted::Script{.run = std::move(run)});
}

/// Writes how a process ended.
inline void log_end(runtime::Runtime& runtime, runtime::ProcessId process, Log& log) {
  runtime.monitor_outside(process,
                          [&log](const runtime::ExitReason& r) { log.add(r.to_string()); });
}

}  // namespace holdfast::test
