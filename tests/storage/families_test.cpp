// Shapes with inner shapes: made together, ended together, and their state beside the log.
#include <algorithm>

#include "core/base/big_endian.hpp"
#include "core/storage/schema.hpp"
#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {
namespace {

using protocol::ShapeHandle;

NewShape inner(std::uint64_t number, std::vector<NewShape> inners = {}) {
  return {Hash128{number << 32, number}, "inner", ShapeRole::inner, std::move(inners)};
}
NewShape served(std::uint64_t number, std::vector<NewShape> inners = {}) {
  return {Hash128{number << 32, number}, "served", ShapeRole::served, std::move(inners)};
}

std::vector<std::string> texts(const std::vector<ShapeHandle>& handles) {
  std::vector<std::string> sorted;
  for (const ShapeHandle& handle : handles) sorted.push_back(handle.text);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

class FamiliesTest : public StoreTest {
 protected:
  FamiliesTest() { reopen(); }

  std::vector<ShapeRecord> make(const NewShape& shape) { return must(store_->create(shape)); }
  std::vector<std::string> living() {
    std::vector<ShapeHandle> handles;
    for (const ShapeRecord& record : must(reader_->load()).shapes) handles.push_back(record.handle);
    return texts(handles);
  }
  std::string reason(const ShapeHandle& handle) {
    return must(reader_->find(handle)).removed_reason.value_or("");
  }
  void change(std::vector<StateChange> changes) {
    Group group;
    group.state = std::move(changes);
    must(store_->commit(group));
  }
  std::vector<std::string> state(const ShapeHandle& handle) {
    std::vector<std::string> entries;
    for (const StateEntry& entry : must(reader_->load_state(handle)))
      entries.push_back(std::to_string(entry.space) + " " + entry.key + "=" + entry.value);
    return entries;
  }
};

TEST_F(FamiliesTest, InputThatWaitsIsReadInPieces) {
  const ShapeHandle handle = make(served(1, {inner(2)})).back().handle;
  const auto key = [](std::uint64_t commit) {
    std::string bytes;
    append_big_endian(bytes, commit);
    return bytes + "rest";
  };
  for (const std::uint64_t commit : {300, 7, 256})
    change({{handle, k_waiting_space, key(commit), std::string(40, 'v')}});
  change({{handle, 3, key(1), "another space"}});
  const auto commits = [&](std::uint64_t from, std::size_t bytes) {
    std::vector<std::uint64_t> found;
    for (const StateEntry& entry : must(reader_->load_waiting(handle, key(from), bytes))) {
      EXPECT_EQ(entry.value, std::string(40, 'v'));
      found.push_back(from_big_endian(entry.key.substr(0, 8)));
    }
    return found;
  };
  EXPECT_EQ(commits(0, 1'000), (std::vector<std::uint64_t>{7, 256, 300}));
  EXPECT_EQ(commits(7, 60), (std::vector<std::uint64_t>{7, 256}));
  EXPECT_EQ(commits(8, 1), std::vector<std::uint64_t>{256});
  EXPECT_TRUE(commits(301, 1'000).empty());
  for (const StateEntry& entry : must(reader_->load_state(handle)))
    EXPECT_EQ(entry.value, entry.space == 3 ? "another space" : "") << "of it only the keys";
  for (const ShapeRecord& record : must(reader_->load()).shapes)
    EXPECT_EQ(record.waiting_from.value, record.handle == handle ? 7U : 0U);
}

TEST_F(FamiliesTest, InnerShapesAreMadeBeforeTheShapeThatRefersToThem) {
  const auto made = make(served(1, {inner(2, {inner(3)}), inner(4)}));
  ASSERT_EQ(made.size(), 4U);
  EXPECT_EQ(made[0].identity.low, 3U);
  EXPECT_EQ(made[1].identity.low, 2U);
  EXPECT_EQ(made[2].identity.low, 4U);
  EXPECT_EQ(made[3].identity.low, 1U);
  EXPECT_EQ(made[3].role, ShapeRole::served);
  EXPECT_EQ(made[0].role, ShapeRole::inner);
  EXPECT_EQ(made[3].inners, (std::vector{made[1].handle, made[2].handle}));
  EXPECT_EQ(made[1].inners, std::vector{made[0].handle});
}

TEST_F(FamiliesTest, WhatRefersToWhatOutlivesARestart) {
  const auto made = make(served(1, {inner(2), inner(3)}));
  const Boot boot = reopen();
  ASSERT_EQ(boot.shapes.size(), 3U);
  EXPECT_EQ(boot.shapes[2].inners, made[2].inners);
  EXPECT_EQ(boot.shapes[0].role, ShapeRole::inner);
  EXPECT_EQ(boot.shapes[2].role, ShapeRole::served);
  EXPECT_EQ(must(reader_->find(made[2].handle)).live->inners, made[2].inners);
  EXPECT_EQ(must(reader_->find_by_identity({1ULL << 32, 1}))->inners, made[2].inners);
}

TEST_F(FamiliesTest, ShapesWithAnEqualSubqueryShareItsInnerShape) {
  const auto first = make(served(1, {inner(9)}));
  const auto second = make(served(2, {inner(9), inner(9)}));
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(second[0].handle, first[0].handle);
  EXPECT_EQ(second[1].inners, (std::vector{first[0].handle, first[0].handle}));
}

TEST_F(FamiliesTest, ALivingFamilyIsAnsweredAsItIs) {
  const auto first = make(served(1, {inner(2)}));
  const auto again = make(served(1, {inner(2)}));
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].handle, first[0].handle);
  EXPECT_EQ(again[1].handle, first[1].handle);
}

TEST_F(FamiliesTest, AnInnerShapeEndsWithTheLastThatRefersToIt) {
  const auto first = make(served(1, {inner(8, {inner(9)})}));
  const auto second = make(served(2, {inner(8, {inner(9)})}));
  EXPECT_EQ(texts(must(store_->remove(first.back().handle, "a", 1))), texts({first.back().handle}));
  EXPECT_EQ(texts(must(store_->remove(second.back().handle, "b", 2))),
            texts({second.back().handle, first[0].handle, first[1].handle}));
  EXPECT_EQ(reason(second.back().handle), "b");
  EXPECT_EQ(reason(first[0].handle), "not referred to any more");
  EXPECT_EQ(reason(first[1].handle), "not referred to any more");
  EXPECT_TRUE(living().empty());
}

TEST_F(FamiliesTest, TheEndOfAnInnerShapeEndsAllThatReferToIt) {
  const auto plain = make(served(5));
  const auto first = make(served(1, {inner(8, {inner(9)}), inner(7)}));
  const auto second = make(served(2, {inner(7)}));
  const ShapeHandle deepest = first[0].handle, middle = first[1].handle, other = first[2].handle;
  EXPECT_EQ(texts(must(store_->remove(deepest, "truncate", 1))),
            texts({deepest, middle, first.back().handle}));
  EXPECT_EQ(reason(middle), "dependency removed: truncate");
  EXPECT_EQ(reason(first.back().handle), "dependency removed: truncate");
  EXPECT_EQ(living(), texts({plain[0].handle, other, second.back().handle}));
  const Boot boot = reopen();
  EXPECT_EQ(boot.shapes.size(), 3U);
  EXPECT_EQ(boot.unfinished_removals.size(), 3U);
}

TEST_F(FamiliesTest, StateIsWhatTheChangesLeave) {
  const auto made = make(served(1, {inner(2)}));
  const ShapeHandle handle = made[1].handle;
  change({{handle, 1, "b", "2"}, {handle, 1, "a", "1"}, {handle, 0, "z", ""}});
  EXPECT_EQ(state(handle), (std::vector<std::string>{"0 z=", "1 a=1", "1 b=2"}));
  change({{handle, 1, "a", "one"}, {handle, 1, "b"}});
  EXPECT_EQ(state(handle), (std::vector<std::string>{"0 z=", "1 a=one"}));
  change({{handle, 1, std::nullopt}, {handle, 1, "c", "3"}});
  EXPECT_EQ(state(handle), (std::vector<std::string>{"0 z=", "1 c=3"}));
  EXPECT_TRUE(state(made[0].handle).empty());
  reopen();
  EXPECT_EQ(state(handle), (std::vector<std::string>{"0 z=", "1 c=3"}));
}

TEST_F(FamiliesTest, StateOfARemovedShapeIsNeitherWrittenNorKept) {
  const auto made = make(served(1));
  const ShapeHandle handle = made[0].handle;
  change({{handle, 0, "a", "1"}});
  must(store_->remove(handle, "gone", 1));
  change({{handle, 0, "b", "2"}});
  EXPECT_EQ(reader_->load_state(handle).error().kind, StoreFailure::not_found);
  must(store_->finish_removal(handle));
  while (must(store_->maintain()).more) {
  }
  reader_.reset();
  store_.reset();
  auto connection = must(Connection::open(database_path(options_.directory), disk_.sqlite_vfs(),
                                          ConnectionRole::reader));
  bool ok = true;
  EXPECT_EQ(connection->scalar("SELECT count(*) FROM shape_state", ok), 0U);
  EXPECT_TRUE(ok);
}

TEST_F(FamiliesTest, AnInnerShapeThatIsMissingIsACorruptCatalogue) {
  const auto made = make(served(1, {inner(2)}));
  reader_.reset();
  store_.reset();
  {
    auto connection = must(Connection::open(database_path(options_.directory), disk_.sqlite_vfs(),
                                            ConnectionRole::writer));
    ASSERT_TRUE(connection->execute("DELETE FROM shape WHERE role=1"));
  }
  store_ = must(open_store(disk_, options_));
  const auto boot = store_->take_over();
  ASSERT_FALSE(boot.ok());
  EXPECT_EQ(boot.error().kind, StoreFailure::corrupt);
  EXPECT_NE(boot.error().message.find("table shape, row 2: the inner shape 1 is missing"),
            std::string::npos)
      << boot.error().message;
}

}  // namespace
}  // namespace holdfast::storage
