// Whatever happens to a store in whatever order, it reads as the naive model does: with the store's
// index, with a late one and as a standby, before and after sealing, rewriting and restarts.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "core/storage/journal_index.hpp"
#include "tests/disk/support.hpp"
#include "tests/storage/model.hpp"
#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {
namespace {

enum class Action : std::uint8_t { create, complete, commit, partial, remove, maintain, restart };

struct Step {
  Action action;
  std::uint64_t shapes;  ///< bits: which of the eight shapes
  std::uint64_t size;    ///< of items
  std::uint64_t count;   ///< of records
};

void showValue(const Step& step, std::ostream& out) {
  out << "{" << static_cast<int>(step.action) << " shapes " << step.shapes << " size " << step.size
      << " count " << step.count << "}";
}

rc::Gen<Step> any_step() {
  using rc::gen::element;
  return rc::gen::construct<Step>(rc::gen::weightedElement<Action>({{3, Action::create},
                                                                    {3, Action::complete},
                                                                    {12, Action::commit},
                                                                    {2, Action::partial},
                                                                    {1, Action::remove},
                                                                    {3, Action::maintain},
                                                                    {1, Action::restart}}),
                                  rc::gen::inRange<std::uint64_t>(1, 256),
                                  element<std::uint64_t>(30, 99, 100, 101, 400),
                                  element<std::uint64_t>(1, 2, 3, 7));
}

class History {
 public:
  explicit History(env::Disk& disk, std::uint64_t chunk_bytes) : disk_(disk), model_(chunk_bytes) {
    options_.directory = "/store";
    options_.chunk_bytes = chunk_bytes;
    options_.journal_bytes = 3000;
    options_.checkpoint_passive_bytes = 100'000;
    restart();
  }

  void perform(const Step& step) {
    switch (step.action) {
      case Action::create:
        return create(first_of(step));
      case Action::complete:
        return complete(step);
      case Action::commit:
        return commit(step, true);
      case Action::partial:
        return commit(step, false);
      case Action::remove:
        return remove(first_of(step));
      case Action::maintain:
        return maintain();
      case Action::restart:
        return restart();
    }
  }

  void compare() {
    const Boot boot = must(reader_->load());
    const std::string expected = show(model_);
    RC_ASSERT(show(boot, *reader_, model_) == expected);
    RC_ASSERT(show(must(late_->load()), *late_, model_) == expected);
    RC_ASSERT(show(must(standby_->load()), *standby_, model_) == expected);
  }

 private:
  static std::string name_of(std::uint64_t shape) { return "shape" + std::to_string(shape); }
  static std::uint64_t first_of(const Step& step) {
    std::uint64_t shape = 0;
    while ((step.shapes >> shape & 1) == 0) ++shape;
    return shape;
  }

  void create(std::uint64_t shape) {
    const auto made = must(store_->create(Hash128{shape << 32, shape}, name_of(shape)));
    if (!handles_.contains(shape)) RC_ASSERT(given_.insert(made.handle.text).second);
    handles_[shape] = made.handle;
    model_.make(name_of(shape));
    model_.learn_handle(name_of(shape), made.handle.text);
  }
  void complete(const Step& step) {
    const std::uint64_t shape = first_of(step);
    if (!handles_.contains(shape) || model_.live().at(name_of(shape)).complete) return;
    std::vector<std::string> chunks;
    for (std::uint64_t i = 0; i < step.count; ++i) chunks.push_back(std::string(i % 3 * 7, 'r'));
    Group group = completion(handles_.at(shape), chunks);
    model_.apply(group);
    if (step.size > 100) {
      auto writer = must(store_->write_snapshot(handles_.at(shape)));
      must(writer->append(group.completions[0].content.bytes));
      group.completions[0].content.segment = must(writer->finish());
      group.completions[0].content.bytes.clear();
    }
    must(store_->commit(group));
  }
  /// A transaction over some shapes; unless it is whole, a restart takes it back.
  void commit(const Step& step, bool whole) {
    Group group;
    const std::uint64_t tx = next_tx_;
    for (std::uint64_t i = 0; i < step.count; ++i)
      group.items.push_back(shared(make_item(next_item_++, step.size)));
    for (std::uint64_t shape = 0; shape < 8; ++shape) {
      if ((step.shapes >> shape & 1) == 0 || !handles_.contains(shape)) continue;
      if (!model_.live().at(name_of(shape)).complete) continue;
      ShapeAppend append{handles_.at(shape), {}};
      // Some shapes skip items, one has offsets of its own, as spliced rows do.
      for (std::uint64_t i = shape % 2; i < step.count; ++i)
        append.records.push_back({at(tx, next_op_ + 2 * i + (shape == 3 ? 1 : 0)),
                                  static_cast<std::uint32_t>(i), whole && i + 1 == step.count});
      if (!append.records.empty()) group.appends.push_back(append);
    }
    next_op_ += 2 * step.count;
    if (whole) {
      group.applied = group.confirmable = {tx};
      next_tx_ += 1 + step.size % 3;
      next_op_ = 0;
    }
    const auto result = must(store_->commit(group));
    model_.apply(group);
    for (const ShapeHead& head : result.heads)
      for (const auto& [definition, shape] : model_.live())
        if (shape.handle == head.handle.text) RC_ASSERT(head.head == model_.head(definition));
  }
  void remove(std::uint64_t shape) {
    const auto found = handles_.find(shape);
    if (found == handles_.end()) return;
    must(store_->remove(found->second, "removed by the test", 1));
    must(store_->finish_removal(found->second));
    model_.remove(name_of(shape), "removed by the test");
    handles_.erase(found);
  }
  void maintain() {
    for (int slices = 0; must(store_->maintain()).more; ++slices) RC_ASSERT(slices < 1000);
  }
  void restart() {
    late_.reset();
    reader_.reset();
    store_.reset();
    store_ = must(open_store(disk_, options_));
    must(store_->take_over());
    model_.restart();
    reader_ = must(open_reader(disk_, options_, store_->journal_index()));
    late_ = must(open_reader(disk_, options_, std::make_shared<const JournalIndex>()));
    if (standby_ == nullptr) standby_ = must(open_reader(disk_, options_, nullptr));
  }

  env::Disk& disk_;
  StoreOptions options_;
  Model model_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Reader> late_;
  std::unique_ptr<Reader> standby_;  ///< lives through restarts
  std::map<std::uint64_t, protocol::ShapeHandle> handles_;
  std::set<std::string> given_;
  std::uint64_t next_tx_ = 10;
  std::uint64_t next_op_ = 0;
  std::uint64_t next_item_ = 1;
};

RC_GTEST_PROP(StoreProperty, ReadsAsTheModelDoes, ()) {
  const auto chunk_bytes = *rc::gen::element<std::uint64_t>(1, 100, 700);
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  sim::KeyedRandom random(1);
  sim::SimDisk disk({.random = random});
  const auto mount = disk.mount(1);
  History history(*mount, chunk_bytes);
  // Every run has something to work on.
  for (std::uint64_t shape = 0; shape < 4; ++shape) {
    history.perform({Action::create, 1ULL << shape, 30, 1});
    history.perform({Action::complete, 1ULL << shape, shape % 2 == 0 ? 30U : 400U, shape + 1});
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    history.perform(steps[i]);
    if (i % 5 == 4) history.compare();
  }
  history.compare();
  history.perform({Action::maintain, 1, 1, 1});
  history.compare();
  history.perform({Action::restart, 1, 1, 1});
  history.compare();
}

}  // namespace
}  // namespace holdfast::storage
