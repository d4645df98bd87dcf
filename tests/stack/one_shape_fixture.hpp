// A simulated instance whose store has one shape: what the tests of requests stand on.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "core/runtime/runtime.hpp"
#include "core/stack/store_slot.hpp"
#include "sim/disk/mount.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"
#include "tests/stack/one_shape.hpp"

namespace holdfast::stack::test {

class OneShapeFixture : public ::testing::Test {
 protected:
  Context context_with(const Guards& guards) {
    auto made = std::make_shared<StackContext>();
    made->environment.disk = mount_.get();
    made->environment.read_workers = {&worker_};
    made->environment.marks = &marks_;
    made->environment.stores = store_;
    made->guards = guards;
    made->store = std::make_shared<StoreSlot>();
    made->store->epoch_was_ours(executor_.now() + std::chrono::hours(1));  // it leads all the while
    made->readers =
        std::make_shared<ReaderSet>(made->environment, made->options.store, made->store);
    return made;
  }

  sim::SimulatedExecutor executor_;
  runtime::Runtime runtime_{{.root = "t"}, executor_, std::make_shared<runtime::Directory>()};
  sim::SimulatedWorker worker_{executor_, "/t/reader"};
  sim::SimDisk disk_{{.random = executor_.random(), .path = hash64("/disk")}};
  std::unique_ptr<sim::Mount> mount_ = disk_.mount(1);
  Marks marks_;
  std::shared_ptr<OneShape> store_ = std::make_shared<OneShape>();
};

}  // namespace holdfast::stack::test
