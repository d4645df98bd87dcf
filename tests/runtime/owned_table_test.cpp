// Owned tables: a reader sees a value, Missing or Gone, and Gone from the very step its owner ended
// in.
#include "core/runtime/owned_table.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/runtime/executor_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::OwnedTable;
using runtime::Process;
using runtime::Ref;
using runtime::TableName;
using runtime::TableRef;

const TableName<std::string, int>& ages() {
  static const TableName<std::string, int> name("ages");
  return name;
}

class Owner : public Process {
 public:
  void init() override { table_.emplace(*this, ages()); }
  void put(const std::string& key, int value) { table_->put(key, value); }
  bool erase(const std::string& key) { return table_->erase(key); }
  bool grow(const std::string& key) {
    return table_->update(key, [](int& value) { ++value; });
  }

 private:
  std::optional<OwnedTable<std::string, int>> table_;
};

std::string seen(const TableRef<std::string, int>& table, const std::string& key) {
  const auto found = table.find(key);
  if (found.gone()) return "gone";
  return found.missing() ? "missing" : std::to_string(found.value());
}

class OwnedTables : public RuntimeTest {
 protected:
  Ref<Owner> owner() { return runtime().spawn_root<Owner>({.role = "owner"}); }
  Log log;
};

TEST_P(OwnedTables, a_reader_sees_a_value_missing_or_gone) {
  const TableRef<std::string, int> table(runtime(), ages());
  log.add(seen(table, "ann"));
  const auto process = owner();
  settle();
  log.add(seen(table, "ann"));
  start(runtime(), "client", [&](Scripted& me) {
    me.call<&Owner::put>(process, "ann", 41);
    me.call<&Owner::grow>(process, "ann");
    log.add(seen(table, "ann"));
    me.call<&Owner::put>(process, "bob", 7);
    me.call<&Owner::erase>(process, "ann");
    log.add(seen(table, "ann"));
    log.add(table.rows().value().front().first);
  });
  settle();
  runtime().kill(process.id);
  settle();
  log.add(seen(table, "bob"));
  EXPECT_TRUE(table.rows().gone());
  EXPECT_EQ(log.lines(), (Lines{"gone", "missing", "42", "missing", "bob", "gone"}));
}

TEST_P(OwnedTables, whoever_learns_of_the_owners_end_finds_the_table_gone) {
  const auto process = owner();
  settle();
  runtime().cast_from_outside<&Owner::put>(process, "ann", 1);
  const TableRef<std::string, int> table(runtime(), ages());
  runtime().spawn_root<Scripted>(
      {.role = "watcher"},
      Scripted::Script{.init = [&](Scripted& me) { me.monitor(process.id); },
                       .down = [&](Scripted&, runtime::ProcessId,
                                   const ExitReason&) { log.add("down: " + seen(table, "ann")); }});
  settle();
  runtime().send_exit(process.id, ExitReason::crash("x"));
  settle();
  EXPECT_EQ(log.lines(), (Lines{"down: gone"}));
}

TEST_P(OwnedTables, a_successor_starts_with_an_empty_table_of_the_same_name) {
  const auto first = owner();
  runtime().cast_from_outside<&Owner::put>(first, "ann", 1);
  settle();
  runtime().kill(first.id);
  settle();
  owner();
  settle();
  EXPECT_EQ(seen(TableRef<std::string, int>(runtime(), ages()), "ann"), "missing");
}

TEST_P(OwnedTables, at_ends_the_reader_with_table_gone) {
  const auto reader = start(runtime(), "reader", [&](Scripted& me) {
    TableRef<std::string, int>(me.runtime(), ages()).at("ann");
    log.add("not reached");
  });
  log_end(runtime(), reader.id, log);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"crash(table_gone)"}));
}

TEST_P(OwnedTables, a_table_lives_through_its_owners_terminate) {
  class Leaving : public Owner {
   public:
    explicit Leaving(Log* log) : log_(log) {}
    void terminate(const ExitReason&) override {
      log_->add(seen(TableRef<std::string, int>(runtime(), ages()), "ann"));
    }

   private:
    Log* log_;
  };
  const auto process = runtime().spawn_root<Leaving>({.role = "leaving"}, &log);
  settle();
  runtime().send_exit(process.id, ExitReason::shutdown());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"missing"}));
}

HOLDFAST_UNDER_EVERY_EXECUTOR(OwnedTables);

}  // namespace
}  // namespace holdfast::test
