// A request that reads the tables of shapes while their owner is being replaced finds them gone. It
// then asks the store, and a held request that looks again finds its shape as it was. Without the
// guard, both take a missing table for a missing shape (F-40).
#include "core/api/shape_lookup.hpp"

#include <gtest/gtest.h>

#include "core/runtime/runtime.hpp"
#include "core/stack/names.hpp"
#include "core/stack/store_slot.hpp"
#include "sim/disk/mount.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::stack {
namespace {

using protocol::LogOffset;
using protocol::ShapeHandle;

const ShapeHandle k_handle{"1-1"};

/// A store with one shape, to be read only.
class OneShape final : public storage::StoreSource {
 public:
  OneShape() {
    const shape::Definition definition = shape::test::with_where("id = 1");
    record_.handle = k_handle;
    record_.identity = definition.identity();
    record_.definition = definition.serialize();
    record_.snapshot_complete = true;
    record_.snapshot_chunks = 1;
    record_.head = LogOffset::at(7, 2);
  }
  const storage::ShapeRecord& record() const { return record_; }

  storage::StoreResult<std::unique_ptr<storage::Store>> open_store(
      env::Disk&, const storage::StoreOptions&) override {
    return Failure{storage::StoreError{storage::StoreFailure::io, "nobody writes here"}};
  }
  storage::StoreResult<std::unique_ptr<storage::Reader>> open_reader(
      env::Disk&, const storage::StoreOptions&,
      std::shared_ptr<const storage::JournalIndex>) override {
    return std::unique_ptr<storage::Reader>(std::make_unique<Reading>(record_));
  }

 private:
  class Reading final : public storage::Reader {
   public:
    explicit Reading(storage::ShapeRecord record) : record_(std::move(record)) {}
    storage::StoreResult<storage::Slice> read(const storage::ReadRequest&) override {
      return storage::Slice{record_.head, {}};
    }
    storage::StoreResult<storage::ShapeLookup> find(const ShapeHandle& handle) override {
      if (handle == record_.handle) return storage::ShapeLookup{record_, std::nullopt};
      return storage::ShapeLookup{};
    }
    storage::StoreResult<std::optional<storage::ShapeRecord>> find_by_identity(
        const Hash128& identity) override {
      if (identity == record_.identity) return std::optional(record_);
      return std::optional<storage::ShapeRecord>();
    }
    storage::StoreResult<std::vector<storage::StateEntry>> load_state(
        const ShapeHandle&) override {
      return std::vector<storage::StateEntry>{};
    }
    storage::StoreResult<storage::Boot> load() override { return storage::Boot{}; }
    storage::StoreResult<std::uint64_t> data_version() override { return std::uint64_t{1}; }
    void use_index(std::shared_ptr<const storage::JournalIndex>) override {}

   private:
    storage::ShapeRecord record_;
  };

  storage::ShapeRecord record_;
};

/// What a request finds.
struct Found {
  std::optional<ShapeMeta> by_handle, by_identity;
  std::optional<postgres::Lsn> position;
};

class Asking : public runtime::Process {
 public:
  Asking(Context context, Hash128 identity, Found& found)
      : context_(std::move(context)), identity_(identity), found_(found) {}
  void ask() {
    found_.by_handle = api::find_by_handle(*this, *context_, api::Source::read_models, k_handle);
    found_.by_identity =
        api::find_by_identity(*this, *context_, api::Source::read_models, identity_);
    found_.position = api::global_lsn(*this, api::Source::read_models);
  }

 protected:
  void init() override { cast<&Asking::ask>(runtime::Ref<Asking>{self()}); }

 private:
  Context context_;
  Hash128 identity_;
  Found& found_;
};

/// Owns the tables as the status owner does; here they have no rows.
class Owner : public runtime::Process {
 protected:
  void init() override {
    shapes_.emplace(*this, tables::shape_meta);
    identities_.emplace(*this, tables::shape_by_identity);
  }

 private:
  std::optional<runtime::OwnedTable<ShapeHandle, ShapeMeta>> shapes_;
  std::optional<runtime::OwnedTable<Hash128, ShapeHandle>> identities_;
};

class ShapeLookup : public ::testing::Test {
 protected:
  Context context(const Guards& guards) {
    auto made = std::make_shared<StackContext>();
    made->environment.disk = mount_.get();
    made->environment.read_workers = {&worker_};
    made->environment.marks = &marks_;
    made->environment.stores = store_;
    made->guards = guards;
    made->store = std::make_shared<StoreSlot>();
    made->readers =
        std::make_shared<ReaderSet>(made->environment, made->options.store, made->store);
    return made;
  }
  Found ask(const Guards& guards) {
    Found found;
    runtime_.spawn_root<Asking>({.role = "asking"}, context(guards), store_->record().identity,
                                std::ref(found));
    executor_.run_until_quiet();
    return found;
  }

  sim::SimulatedExecutor executor_;
  runtime::Runtime runtime_{{.root = "t"}, executor_, std::make_shared<runtime::Directory>()};
  sim::SimulatedWorker worker_{executor_, "/t/reader"};
  sim::SimDisk disk_{{.random = executor_.random(), .path = hash64("/disk")}};
  std::unique_ptr<sim::Mount> mount_ = disk_.mount(1);
  Marks marks_;
  std::shared_ptr<OneShape> store_ = std::make_shared<OneShape>();
};

TEST_F(ShapeLookup, WhileTheOwnerIsBeingReplacedTheStoreAnswers) {
  const Found found = ask(Guards::all());
  ASSERT_TRUE(found.by_handle.has_value());
  ASSERT_TRUE(found.by_identity.has_value());
  EXPECT_EQ(found.by_handle->head, store_->record().head) << "a held request sees no change";
  EXPECT_TRUE(found.by_handle->snapshot_complete);
  EXPECT_FALSE(found.position.has_value()) << "no position is no position, not zero";
}

TEST_F(ShapeLookup, WithoutTheGuardAMissingTableReadsAsAMissingShape) {
  Guards without = Guards::all();
  without.switch_off(Guard::gone_asks_the_store);
  const Found found = ask(without);
  EXPECT_FALSE(found.by_handle.has_value());
  EXPECT_FALSE(found.by_identity.has_value());
}

TEST_F(ShapeLookup, AnOwnerThatLivesHasTheLastWord) {
  const auto owner = runtime_.spawn_root<Owner>({.role = "owner"});
  executor_.run_until_quiet();
  EXPECT_FALSE(ask(Guards::all()).by_handle.has_value());
  runtime_.kill(owner.id);
  EXPECT_TRUE(ask(Guards::all()).by_handle.has_value()) << "its tables went with it";
}

}  // namespace
}  // namespace holdfast::stack
