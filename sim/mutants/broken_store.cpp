#include "sim/mutants/broken_store.hpp"

#include <map>
#include <string>
#include <utility>

namespace holdfast::sim::mutants {
namespace {

using protocol::ShapeHandle;
using storage::CommitResult;
using storage::Group;
using storage::Reader;
using storage::Store;
using storage::StoreError;
using storage::StoreFailure;
using storage::StoreOptions;
using storage::StoreResult;

/// What a caller believes of a group that it takes for committed.
CommitResult believed(const Group& group) {
  CommitResult result;
  for (const storage::ShapeAppend& append : group.appends)
    if (!append.records.empty())
      result.heads.push_back({append.handle, append.records.back().offset, 1});
  return result;
}

class BrokenStore final : public Store {
 public:
  BrokenStore(const MutantSet& set, std::unique_ptr<Store> inner)
      : set_(set), inner_(std::move(inner)) {}

  StoreResult<storage::Boot> take_over() override { return inner_->take_over(); }
  StoreResult<std::optional<storage::Boot>> cut_unfinished() override {
    return inner_->cut_unfinished();
  }

  StoreResult<std::vector<storage::ShapeRecord>> create(const storage::NewShape& shape) override {
    return write([&] { return inner_->create(shape); });
  }
  StoreResult<std::unique_ptr<storage::SnapshotWriter>> write_snapshot(
      const ShapeHandle& handle) override {
    return inner_->write_snapshot(handle);
  }

  StoreResult<CommitResult> commit(const Group& group) override {
    auto result = write([&] { return inner_->commit(group); });
    if (!result.ok() && set_.on(Mutant::ignored_write_error)) return believed(group);
    return result;
  }

  StoreResult<std::vector<ShapeHandle>> would_remove(const ShapeHandle& handle) override {
    return inner_->would_remove(handle);
  }
  StoreResult<std::vector<ShapeHandle>> remove(const ShapeHandle& handle, std::string_view reason,
                                               std::int64_t at_unix_us) override {
    if (set_.on(Mutant::removal_forgotten)) {
      removals_[handle] = {std::string(reason), at_unix_us};
      return std::vector{handle};
    }
    return write([&] { return inner_->remove(handle, reason, at_unix_us); });
  }
  StoreResult<void> finish_removal(const ShapeHandle& handle) override {
    if (const auto forgotten = removals_.find(handle); forgotten != removals_.end()) {
      auto removed = inner_->remove(handle, forgotten->second.first, forgotten->second.second);
      if (!removed.ok()) return removed.failure();
      removals_.erase(forgotten);
    }
    return write([&] { return inner_->finish_removal(handle); });
  }

  StoreResult<void> set_system_identity(std::string_view identity) override {
    return write([&] { return inner_->set_system_identity(identity); });
  }
  StoreResult<std::vector<ShapeHandle>> remove_all(std::string_view reason,
                                                   std::int64_t at_unix_us) override {
    return write([&] { return inner_->remove_all(reason, at_unix_us); });
  }
  StoreResult<storage::MaintenanceResult> maintain() override { return inner_->maintain(); }
  std::shared_ptr<const storage::JournalIndex> journal_index() const override {
    return inner_->journal_index();
  }

 private:
  template <class F>
  std::invoke_result_t<F> write(F job) {
    auto result = job();
    const bool lost = !result.ok() && result.error().kind == StoreFailure::fenced;
    if (!lost || !set_.on(Mutant::epoch_taken_back)) return result;
    auto again = inner_->take_over();
    if (!again.ok()) return again.failure();
    return job();
  }

  MutantSet set_;
  std::unique_ptr<Store> inner_;
  std::map<ShapeHandle, std::pair<std::string, std::int64_t>> removals_;
};

class BrokenReader final : public Reader {
 public:
  BrokenReader(const MutantSet& set, std::unique_ptr<Reader> inner)
      : set_(set), inner_(std::move(inner)) {}

  StoreResult<storage::Slice> read(const storage::ReadRequest& request) override {
    auto slice = inner_->read(request);
    if (!slice.ok() && set_.on(Mutant::empty_read_after_seal))
      return storage::Slice{request.head, {}};
    return slice;
  }
  StoreResult<storage::ShapeLookup> find(const ShapeHandle& handle) override {
    if (!set_.on(Mutant::cached_lookup)) return inner_->find(handle);
    if (const auto known = found_.find(handle); known != found_.end()) return known->second;
    auto lookup = inner_->find(handle);
    if (lookup.ok() && lookup->live && lookup->live->snapshot_complete)
      found_.emplace(handle, *lookup);
    return lookup;
  }
  StoreResult<std::optional<storage::ShapeRecord>> find_by_identity(
      const Hash128& identity) override {
    return inner_->find_by_identity(identity);
  }
  StoreResult<std::vector<storage::StateEntry>> load_state(const ShapeHandle& handle) override {
    auto state = inner_->load_state(handle);
    if (!state.ok()) return state;
    if (set_.on(Mutant::state_read_in_part) && state->size() > 1) state->pop_back();
    if (set_.on(Mutant::state_read_twice)) {
      const std::vector<storage::StateEntry> once = *state;
      state->insert(state->end(), once.begin(), once.end());
    }
    return state;
  }
  StoreResult<std::vector<storage::StateEntry>> load_waiting(const ShapeHandle& handle,
                                                             const std::string& from,
                                                             std::size_t bytes) override {
    return inner_->load_waiting(handle, from, bytes);
  }
  StoreResult<storage::Boot> load() override { return inner_->load(); }
  StoreResult<std::uint64_t> epoch() override { return inner_->epoch(); }
  void use_index(std::shared_ptr<const storage::JournalIndex> index) override {
    inner_->use_index(std::move(index));
  }

 private:
  MutantSet set_;
  std::unique_ptr<Reader> inner_;
  std::map<ShapeHandle, storage::ShapeLookup> found_;
};

class BrokenStores final : public storage::StoreSource {
 public:
  BrokenStores(const MutantSet& set, std::shared_ptr<storage::StoreSource> inner)
      : set_(set), inner_(std::move(inner)) {}

  StoreResult<std::unique_ptr<Store>> open_store(env::Disk& disk,
                                                 const StoreOptions& options) override {
    auto opened = inner_->open_store(disk, options);
    if (!opened.ok()) return opened;
    return std::unique_ptr<Store>(std::make_unique<BrokenStore>(set_, std::move(*opened)));
  }
  StoreResult<std::unique_ptr<Reader>> open_reader(
      env::Disk& disk, const StoreOptions& options,
      std::shared_ptr<const storage::JournalIndex> index) override {
    auto opened = inner_->open_reader(disk, options, std::move(index));
    if (!opened.ok()) return opened;
    return std::unique_ptr<Reader>(std::make_unique<BrokenReader>(set_, std::move(*opened)));
  }

 private:
  MutantSet set_;
  std::shared_ptr<storage::StoreSource> inner_;
};

}  // namespace

std::shared_ptr<storage::StoreSource> break_stores(const MutantSet& set,
                                                   std::shared_ptr<storage::StoreSource> inner) {
  for (const Mutant mutant :
       {Mutant::ignored_write_error, Mutant::epoch_taken_back, Mutant::removal_forgotten,
        Mutant::cached_lookup, Mutant::empty_read_after_seal, Mutant::state_read_in_part,
        Mutant::state_read_twice})
    if (set.on(mutant)) return std::make_shared<BrokenStores>(set, std::move(inner));
  return inner;
}

}  // namespace holdfast::sim::mutants
