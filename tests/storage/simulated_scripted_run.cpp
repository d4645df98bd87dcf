#include "tests/storage/scripted_run.hpp"

namespace holdfast::storage {

void ScriptedRun::create(const std::string& name) {
  steps_.push_back({[this, name](Store& store) -> StoreResult<void> {
                      const auto number = static_cast<std::uint64_t>(name.back());
                      auto made = store.create(Hash128{number << 32, number}, name);
                      if (!made) return made.failure();
                      handles_[name] = made->handle;
                      return {};
                    },
                    [this, name](Model& model) {
                      model.make(name);
                      model.learn_handle(name, handle(name).text);
                    }});
}

void ScriptedRun::create_with_inner(const std::string& name, const std::string& inner) {
  const auto identity = [](const std::string& of) {
    const auto number = static_cast<std::uint64_t>(of.back());
    return Hash128{number << 32, number};
  };
  steps_.push_back(
      {[=, this](Store& store) -> StoreResult<void> {
         auto made = store.create(NewShape{identity(name),
                                           name,
                                           ShapeRole::served,
                                           {{identity(inner), inner, ShapeRole::inner, {}}}});
         if (!made) return made.failure();
         for (const ShapeRecord& record : *made) handles_[record.definition] = record.handle;
         return {};
       },
       [=, this](Model& model) {
         model.make(inner);
         model.learn_handle(inner, handle(inner).text);
         model.make(name, {inner});
         model.learn_handle(name, handle(name).text);
       }});
}

void ScriptedRun::change_state(std::function<std::vector<StateChange>()> make_changes) {
  commit([make_changes] {
    Group group;
    group.state = make_changes();
    return group;
  });
}

void ScriptedRun::commit(std::function<Group()> make_group) {
  steps_.push_back({[make_group](Store& store) -> StoreResult<void> {
                      auto done = store.commit(make_group());
                      if (!done) return done.failure();
                      return {};
                    },
                    [make_group](Model& model) { model.apply(make_group()); }});
}

void ScriptedRun::complete_by_segment(const std::string& name, std::size_t bytes) {
  const std::string rows(bytes, 'r');
  const auto group = [this, name, rows] {
    Group made = completion(handle(name), {rows.substr(0, 100), rows.substr(100)});
    return made;
  };
  steps_.push_back({[this, name, rows, group](Store& store) -> StoreResult<void> {
                      auto writer = store.write_snapshot(handle(name));
                      if (!writer) return writer.failure();
                      auto written = (*writer)->append(rows);
                      if (!written) return written;
                      auto segment = (*writer)->finish();
                      if (!segment) return segment.failure();
                      Group made = group();
                      made.completions[0].content.bytes.clear();
                      made.completions[0].content.segment = *segment;
                      auto done = store.commit(made);
                      if (!done) return done.failure();
                      return {};
                    },
                    [group](Model& model) { model.apply(group()); }});
}

void ScriptedRun::remove(const std::string& name, std::map<std::string, std::string> with) {
  steps_.push_back({[this, name](Store& store) -> StoreResult<void> {
                      auto removed = store.remove(handle(name), "test", 1);
                      if (!removed) return removed.failure();
                      return {};
                    },
                    [name, with](Model& model) {
                      model.remove(name, "test");
                      for (const auto& [other, reason] : with) model.remove(other, reason);
                    }});
  steps_.push_back(
      {[this, name](Store& store) { return store.finish_removal(handle(name)); }, [](Model&) {}});
}

void ScriptedRun::maintain() {
  steps_.push_back({[](Store& store) -> StoreResult<void> {
                      for (int slice = 0; slice < 100; ++slice) {
                        auto done = store.maintain();
                        if (!done) return done.failure();
                        if (!done->more) return {};
                      }
                      return Failure{StoreError{StoreFailure::io, "maintenance does not end"}};
                    },
                    [](Model&) {}});
}

void ScriptedRun::changes(std::uint64_t from_tx, std::uint64_t count) {
  for (std::uint64_t tx = from_tx; tx < from_tx + count; ++tx) {
    commit([this, tx] {
      Group group;
      group.items = {shared(make_item(tx, 60 + tx * 13 % 90)), shared(make_item(tx + 500, 40))};
      group.appends = {{handle("a"), {{at(tx, 0), 0, false}, {at(tx, 2), 1, true}}}};
      if (tx % 2 == 0) group.appends.push_back({handle("b"), {{at(tx, 2), 1, true}}});
      group.appends.push_back({handle("c"), {{at(tx, 0), 0, true}}});
      group.applied = {tx};
      group.confirmable = {tx};
      return group;
    });
  }
}

ScriptedRun::ScriptedRun() {
  create("a");
  create("b");
  commit([this] { return completion(handle("a"), {"row", "another,row"}); });
  commit([this] { return completion(handle("b"), {"[]"}); });
  create("c");
  complete_by_segment("c", 400);
  changes(10, 4);
  maintain();
  changes(14, 4);
  // Transaction 30 in two groups, another shape's snapshot in between.
  commit([this] {
    Group part = one_change(handle("a"), 30, 0, make_item(30, 80), false);
    part.applied = part.confirmable = {0};
    return part;
  });
  create("d");
  commit([this] { return completion(handle("d"), {"d"}); });
  commit([this] { return one_change(handle("a"), 30, 2, make_item(31, 80)); });
  maintain();
  create_with_inner("o", "i");
  change_state([this] {
    return std::vector<StateChange>{{handle("i"), 0, "one", "1"}, {handle("o"), 3, "two", "2"}};
  });
  create_with_inner("p", "i");
  change_state([this] {
    return std::vector<StateChange>{{handle("i"), 0, std::nullopt}, {handle("i"), 0, "three", "3"}};
  });
  remove("o");
  remove("c");
  maintain();
  changes(40, 2);
  create("c");  // the same identity: another incarnation
  commit([this] { return completion(handle("c"), {"c"}); });
  changes(50, 3);
  remove("i", {{"p", "dependency removed: test"}});
  maintain();
}

}  // namespace holdfast::storage
