// A store with one shape, to be read only: what the tests of requests stand on.
#pragma once

#include <memory>
#include <string>

#include "core/storage/store.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::stack::test {

inline const protocol::ShapeHandle k_handle{"1-1"};

class OneShape final : public storage::StoreSource {
 public:
  OneShape() {
    const shape::Definition definition = shape::test::with_where("id = 1");
    record_.handle = k_handle;
    record_.identity = definition.identity();
    record_.definition = definition.serialize();
    record_.snapshot_complete = true;
    record_.snapshot_chunks = 1;
    record_.head = protocol::LogOffset::at(7, 2);
  }
  const storage::ShapeRecord& record() const { return record_; }
  void remove() { removed_ = true; }
  void advance(protocol::LogOffset head) { record_.head = head; }

  storage::StoreResult<std::unique_ptr<storage::Store>> open_store(
      env::Disk&, const storage::StoreOptions&) override {
    return Failure{storage::StoreError{storage::StoreFailure::io, "nobody writes here"}};
  }
  storage::StoreResult<std::unique_ptr<storage::Reader>> open_reader(
      env::Disk&, const storage::StoreOptions&,
      std::shared_ptr<const storage::JournalIndex>) override {
    return std::unique_ptr<storage::Reader>(std::make_unique<Reading>(*this));
  }

 private:
  class Reading final : public storage::Reader {
   public:
    explicit Reading(const OneShape& store) : store_(store) {}
    storage::StoreResult<storage::Slice> read(const storage::ReadRequest& request) override {
      return storage::Slice{request.head, "{}"};
    }
    storage::StoreResult<storage::ShapeLookup> find(const protocol::ShapeHandle& handle) override {
      if (handle != store_.record_.handle) return storage::ShapeLookup{};
      if (store_.removed_) return storage::ShapeLookup{std::nullopt, "deleted"};
      return storage::ShapeLookup{store_.record_, std::nullopt};
    }
    storage::StoreResult<std::optional<storage::ShapeRecord>> find_by_identity(
        const Hash128& identity) override {
      const bool lives = identity == store_.record_.identity && !store_.removed_;
      return lives ? std::optional(store_.record_) : std::nullopt;
    }
    storage::StoreResult<std::vector<storage::StateEntry>> load_state(
        const protocol::ShapeHandle&) override {
      return std::vector<storage::StateEntry>{};
    }
    storage::StoreResult<std::vector<storage::StateEntry>> load_waiting(
        const protocol::ShapeHandle&, const std::string&, std::size_t) override {
      return std::vector<storage::StateEntry>{};
    }
    storage::StoreResult<storage::Boot> load() override { return storage::Boot{}; }
    storage::StoreResult<std::uint64_t> epoch() override { return std::uint64_t{0}; }
    void use_index(std::shared_ptr<const storage::JournalIndex>) override {}

   private:
    const OneShape& store_;
  };

  storage::ShapeRecord record_;
  bool removed_ = false;
};

}  // namespace holdfast::stack::test
