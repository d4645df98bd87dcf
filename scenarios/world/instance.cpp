#include "scenarios/world/instance.hpp"

#include "sim/mutants/broken_database.hpp"
#include "sim/mutants/broken_disk.hpp"
#include "sim/mutants/broken_store.hpp"

namespace holdfast::scenarios {

Instance::Instance(const Surroundings& world, unsigned number)
    : executor_(world.executor), number_(number) {
  const std::string root = "i" + std::to_string(number);
  mount_ = world.disk.mount(number);
  writer_ = std::make_unique<sim::SimulatedWorker>(world.executor, "/" + root + "/writer");
  reader_ = std::make_unique<sim::SimulatedWorker>(world.executor, "/" + root + "/reader");
  runtime_ = std::make_unique<runtime::Runtime>(
      runtime::RuntimeOptions{.root = root, .observer = world.observer}, world.executor,
      std::make_shared<runtime::Directory>());
  stack::StackEnvironment environment;
  environment.disk = mount_.get();
  environment.database = &world.postgres.database(number);
  environment.write_worker = writer_.get();
  environment.read_workers = {reader_.get()};
  environment.events = &world.events;
  environment.marks = &world.marks;
  if (!world.mutants.empty()) mutate(world.mutants, environment);
  engine_ = std::make_unique<api::Engine>(*runtime_, environment, world.engine);
}

void Instance::mutate(const sim::mutants::MutantSet& mutants,
                      stack::StackEnvironment& environment) {
  broken_disk_ = std::make_unique<sim::mutants::BrokenDisk>(mutants, *environment.disk);
  broken_database_ = std::make_unique<sim::mutants::BrokenDatabase>(mutants, *environment.database);
  environment.disk = broken_disk_.get();
  environment.database = broken_database_.get();
  environment.stores = sim::mutants::break_stores(mutants, environment.stores);
  if (mutants.on(sim::mutants::Mutant::redirect_remembered)) redirects_.emplace();
}

api::Engine::Cancel Instance::handle(protocol::Request request, api::Engine::Respond respond) {
  if (redirects_) respond = redirects_->wrap(request, std::move(respond));
  return engine_->handle(std::move(request), std::move(respond));
}

Instance::~Instance() {
  // The engine's store and readers were closed by their workers; workers before the mount they use.
  runtime_.reset();
  engine_.reset();
  reader_.reset();
  writer_.reset();
  mount_.reset();
}

void Instance::stop(std::function<void()> stopped) {
  ASSERT(running(), "an instance is stopped once");
  thaw();
  state_ = State::stopping;
  engine_->stop([this, stopped = std::move(stopped)] {
    state_ = State::ended;
    stopped();
  });
}

void Instance::kill() {
  if (state_ == State::ended) return;
  state_ = State::ended;
  thaw();  // a worker that is inside SQLite has to come out
  mount_->kill();
  runtime_->destroy_all();
  engine_->abandon();
}

void Instance::freeze() {
  ASSERT(running() && !frozen_, "only a running instance is stopped for a while");
  frozen_ = true;
  executor_.freeze(path());
}

void Instance::thaw() {
  if (!frozen_) return;
  frozen_ = false;
  executor_.thaw(path());
}

}  // namespace holdfast::scenarios
