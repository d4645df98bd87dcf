// One engine instance in the simulated world: its own runtime, its mount of the machine's disk, its
// workers, and the same api::Engine that production starts. Killed or stopped, it stays until the
// end of the run, since its workers end on their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/api/engine.hpp"
#include "core/runtime/runtime.hpp"
#include "sim/disk/mount.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/mutants/mutant_set.hpp"
#include "sim/mutants/remembered_redirects.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"

namespace holdfast::scenarios {

/// What instances share of the world.
struct Surroundings {
  sim::SimulatedExecutor& executor;
  sim::SimDisk& disk;
  sim::postgres::PostgresModel& postgres;
  observe::EventSink& events;
  Marks& marks;
  api::EngineOptions engine;
  runtime::RuntimeObserver* observer = nullptr;
  sim::mutants::MutantSet mutants = {};
};

class Instance {
 public:
  /// Numbers are unique in a run and name everything: "/i3/…".
  Instance(const Surroundings& surroundings, unsigned number);
  ~Instance();

  void start() { engine_->start(); }
  /// Graceful; `stopped` is called once it has ended in order. A kill before that: never.
  void stop(std::function<void()> stopped);
  /// kill -9. REQUIRES: outside fibers.
  void kill();
  /// SIGSTOP and SIGCONT: in between it takes no step, whatever happens around it.
  void freeze();
  void thaw();

  bool running() const { return state_ == State::running; }
  bool frozen() const { return frozen_; }
  bool stopping() const { return state_ == State::stopping; }
  bool ended() const { return state_ == State::ended; }
  /// The write worker has a job.
  bool writing() const { return writer_->busy(); }
  unsigned number() const { return number_; }
  runtime::Runtime& runtime() { return *runtime_; }
  api::Engine& engine() { return *engine_; }
  /// A request from the network, as api::Engine::handle.
  api::Engine::Cancel handle(protocol::Request request, api::Engine::Respond respond);

 private:
  enum class State : std::uint8_t { running, stopping, ended };
  /// Puts the decorators in that the mutants of the run are.
  void mutate(const sim::mutants::MutantSet& mutants, stack::StackEnvironment& environment);

  std::string path() const { return "/i" + std::to_string(number_) + "/"; }

  sim::SimulatedExecutor& executor_;
  unsigned number_;
  bool frozen_ = false;
  State state_ = State::running;
  std::unique_ptr<sim::Mount> mount_;
  std::unique_ptr<env::Disk> broken_disk_;          ///< null without mutants
  std::unique_ptr<env::Database> broken_database_;  ///< likewise
  std::optional<sim::mutants::RememberedRedirects> redirects_;
  std::unique_ptr<sim::SimulatedWorker> writer_;
  std::unique_ptr<sim::SimulatedWorker> reader_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<api::Engine> engine_;
};

}  // namespace holdfast::scenarios
