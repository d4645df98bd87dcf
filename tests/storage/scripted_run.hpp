// A fixed history of a store that meets everything once: creations, snapshots of both kinds, shared
// items, a transaction of two groups, removals, sealing, rewriting, checkpoints; with the model
// beside it. Run over the simulated disk so that it can be cut anywhere.
#pragma once

#include <functional>

#include "core/storage/journal_index.hpp"
#include "sim/disk/mount.hpp"
#include "sim/disk/sqlite_vfs.hpp"
#include "tests/storage/model.hpp"
#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {

inline StoreOptions small_options() {
  StoreOptions options;
  options.directory = "/store";
  options.chunk_bytes = 300;
  options.journal_bytes = 1200;
  options.checkpoint_passive_bytes = 60'000;
  options.checkpoint_restart_bytes = 120'000;
  return options;
}

/// One incarnation of the engine: a mount's store and reader.
struct Incarnation {
  std::unique_ptr<Store> store;
  std::unique_ptr<Reader> reader;
  Boot boot;

  StoreResult<void> start(env::Disk& disk, const StoreOptions& options = small_options()) {
    reader.reset();
    store.reset();
    auto opened = open_store(disk, options);
    if (!opened) return opened.failure();
    store = std::move(*opened);
    auto taken = store->take_over();
    if (!taken) return taken.failure();
    boot = std::move(*taken);
    auto read = open_reader(disk, options, store->journal_index());
    if (!read) return read.failure();
    reader = std::move(*read);
    return {};
  }
};

class ScriptedRun {
 public:
  ScriptedRun();

  std::size_t steps() const { return steps_.size(); }
  /// The step on the store; the model learns of it with `acknowledge`.
  StoreResult<void> perform(std::size_t step, Store& store) { return steps_[step].perform(store); }
  /// What the model is after the step took effect.
  Model after(std::size_t step, const Model& before) const {
    Model model = before;
    steps_[step].apply(model);
    return model;
  }
  /// After a restart the handles of shapes whose creation was not answered are learned.
  void learn(const Boot& boot, Model& model) {
    for (const ShapeRecord& record : boot.shapes) {
      handles_[record.definition] = record.handle;
      if (model.live().contains(record.definition))
        model.learn_handle(record.definition, record.handle.text);
    }
  }
  const std::map<std::string, protocol::ShapeHandle>& handles() const { return handles_; }

 private:
  struct Step {
    std::function<StoreResult<void>(Store&)> perform;
    std::function<void(Model&)> apply;
  };
  void create(const std::string& name);
  /// Two shapes, of which the first refers to the second.
  void create_with_inner(const std::string& name, const std::string& inner);
  void commit(std::function<Group()> make_group);
  void complete_by_segment(const std::string& name, std::size_t bytes);
  /// `with`: the shapes that end with it, and why.
  void remove(const std::string& name, std::map<std::string, std::string> with = {});
  void change_state(std::function<std::vector<StateChange>()> make_changes);
  void maintain();
  void changes(std::uint64_t from_tx, std::uint64_t count);
  protocol::ShapeHandle handle(const std::string& name) const {
    const auto found = handles_.find(name);
    return found == handles_.end() ? protocol::ShapeHandle{} : found->second;
  }

  std::vector<Step> steps_;
  std::map<std::string, protocol::ShapeHandle> handles_;
};

}  // namespace holdfast::storage
