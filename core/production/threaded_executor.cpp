#include "core/production/threaded_executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"
#include "core/production/shard.hpp"
#include "core/production/thread_worker.hpp"

namespace holdfast::production {

Placement spread_by_key() {
  return [](runtime::ProcessId parent, const runtime::SpawnOptions& options,
            unsigned shards) -> unsigned {
    if (options.key.empty()) return static_cast<unsigned>(parent.value & 0xff) % shards;
    return static_cast<unsigned>(combine64(hash64(options.role), hash64(options.key)) % shards);
  };
}

ThreadedExecutor::ThreadedExecutor(ThreadedExecutorOptions options, env::Clock& clock,
                                   env::Random& random)
    : options_(std::move(options)) {
  ASSERT(options_.shards >= 1 && options_.shards <= 64, "an instance has 1 to 64 shards");
  const auto directory = std::make_shared<runtime::Directory>();
  for (unsigned i = 0; i < options_.shards; ++i)
    shards_.push_back(std::make_unique<Shard>(
        runtime::RuntimeOptions{
            .root = options_.root, .shard = i, .mailbox_limit = options_.mailbox_limit},
        directory, *this, activity_, clock, random));
  for (const auto& shard : shards_) shard->start();
}

ThreadedExecutor::~ThreadedExecutor() {
  stop();
}

runtime::Runtime& ThreadedExecutor::runtime() {
  return shards_.front()->runtime();
}

std::unique_ptr<ThreadWorker> ThreadedExecutor::make_worker(const std::string& name) {
  return std::make_unique<ThreadWorker>(name, activity_);
}

void ThreadedExecutor::run_on(unsigned shard, std::function<void(runtime::Runtime&)> f) {
  ASSERT(!stopped_, "a stopped executor runs nothing");
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  Shard& target = *shards_.at(shard);
  target.post(Shard::Command([&] {
    f(target.runtime());
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  }));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
}

void ThreadedExecutor::stop() {
  if (stopped_) return;
  for (const auto& shard : shards_) shard->release();
  // First no process is left anywhere, then the threads end: until then a shard may still send.
  for (unsigned i = 0; i < shards(); ++i)
    run_on(i, [](runtime::Runtime& instance) { instance.destroy_all(); });
  for (const auto& shard : shards_) shard->join();
  stopped_ = true;
}

std::optional<Instant> ThreadedExecutor::wait_until_at_rest(std::chrono::milliseconds limit) {
  if (!activity_.wait_until_none(limit)) return std::nullopt;
  Instant earliest = Instant::never();
  for (const auto& shard : shards_) earliest = std::min(earliest, shard->earliest_timer());
  return earliest;
}

void ThreadedExecutor::hold() {
  for (const auto& shard : shards_) shard->hold();
}

void ThreadedExecutor::release() {
  const auto applied = std::make_shared<std::latch>(shards());
  for (const auto& shard : shards_)
    shard->post(Shard::Command([applied] { applied->arrive_and_wait(); }));
  for (const auto& shard : shards_) shard->release();
}

void ThreadedExecutor::look_at_clock() {
  for (const auto& shard : shards_) shard->look_at_clock();
}

unsigned ThreadedExecutor::shard_for(runtime::ProcessId parent,
                                     const runtime::SpawnOptions& options) {
  const unsigned shard = options_.placement(parent, options, shards());
  ASSERT(shard < shards(), "a process is placed on a shard that exists");
  return shard;
}

void ThreadedExecutor::route(unsigned shard, runtime::Signal&& signal) {
  shards_.at(shard)->post(std::move(signal));
}

}  // namespace holdfast::production
