// A transaction whose groups are not all committed: invisible, and gone after a restart or a new
// start of whoever makes the groups (I-9, F-17).
#include "core/base/guard_list.hpp"
#include "core/storage/segment.hpp"
#include "tests/storage/model.hpp"
#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {
namespace {

class UnfinishedTest : public StoreTest {
 protected:
  UnfinishedTest() {
    reopen();
    handle_ = make_shape(1);
    append(10, 0, true);
    append(20, 0, false);  // and more of 20 is to come
  }
  /// One record; `ends`: with it its transaction is whole.
  void append(std::uint64_t tx, std::uint64_t op, bool ends) {
    Group group;
    group.items = {shared(make_item(tx + op))};
    group.appends = {{handle_, {{at(tx, op), 0, ends}}}};
    if (ends) group.applied = group.confirmable = {tx};
    must(store_->commit(group));
  }
  std::string log() {
    const auto head = must(reader_->find(handle_)).live->head;
    return read(handle_, protocol::LogOffset::snapshot_end(), head).items;
  }

  protocol::ShapeHandle handle_;
};

TEST_F(UnfinishedTest, IsInvisible) {
  EXPECT_EQ(must(reader_->find(handle_)).live->head, at(10, 0));
}

TEST_F(UnfinishedTest, ARestartCutsItAndItComesAgain) {
  EXPECT_EQ(reopen().shapes.front().head, at(10, 0));
  append(20, 0, false);
  append(20, 2, true);
  EXPECT_EQ(must(reader_->find(handle_)).live->head, at(20, 2));
  EXPECT_NE(log().find(R"("k22")"), std::string::npos);
}

TEST_F(UnfinishedTest, AHolderCutsItAndKeepsWhatIsWhole) {
  const std::string before = log();
  const auto cut = must(store_->cut_unfinished());
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->shapes.front().head, at(10, 0));
  EXPECT_EQ(log(), before);
  append(20, 0, false);
  append(20, 2, true);
  EXPECT_EQ(must(reader_->find(handle_)).live->head, at(20, 2));
}

// The next holder uses the numbers of the rows that it cuts again, under an epoch of its own.
TEST_F(UnfinishedTest, AStandbyForgetsWhereItsRowsWereOnceAnotherHolderHasCutThem) {
  auto standby = must(open_reader(disk_, options_, nullptr));
  EXPECT_EQ(must(standby->find(handle_)).live->head, at(10, 0));
  reopen();
  append(30, 0, true);
  EXPECT_EQ(must(standby->find(handle_)).live->head, at(30, 0));
  EXPECT_EQ(must(standby->read({handle_, protocol::LogOffset::snapshot_end(), at(30, 0)})).items,
            log());
}

// What the store remembered was dropped before the disk failed: nothing but a new start can follow.
TEST_F(UnfinishedTest, AfterACutThatFailedTheStoreMustBeOpenedAgain) {
  const std::string segments = segment_directory(options_.directory);
  std::filesystem::remove_all(segments);
  EXPECT_EQ(store_->cut_unfinished().error().kind, StoreFailure::unknown_outcome);
  EXPECT_EQ(store_->cut_unfinished().error().kind, StoreFailure::unknown_outcome);
  std::filesystem::create_directories(segments);
  EXPECT_EQ(reopen().shapes.front().head, at(10, 0));
  append(20, 0, false);
  append(20, 2, true);
  EXPECT_EQ(must(reader_->find(handle_)).live->head, at(20, 2));
}

TEST_F(UnfinishedTest, WithNothingUnfinishedThereIsNothingToCut) {
  append(20, 2, true);
  EXPECT_FALSE(must(store_->cut_unfinished()));
}

// What is cut shares a section with what stays; the open chunk goes on where the rule says.
TEST_F(UnfinishedTest, ChunksEndWhereTheyWouldHaveWithoutIt) {
  options_.chunk_bytes = 250;
  reopen();
  Model model(options_.chunk_bytes);
  const auto handle = must(store_->create(Hash128{7, 7}, "cut")).handle;
  model.make("cut");
  model.learn_handle("cut", handle.text);
  const auto commit = [&](const Group& group) {
    must(store_->commit(group));
    model.apply(group);
  };
  commit(completion(handle, {"[]"}));
  Group shared_section;
  for (std::uint64_t i = 0; i < 5; ++i)
    shared_section.items.push_back(shared(make_item(i, 100)));
  shared_section.appends = {{handle,
                             {{at(40, 0), 0, false},
                              {at(40, 2), 1, false},
                              {at(40, 4), 2, false},
                              {at(40, 6), 3, true},
                              {at(50, 0), 4, false}}}};
  shared_section.applied = shared_section.confirmable = {40};
  commit(shared_section);
  reopen();
  model.restart();
  for (std::uint64_t tx = 60; tx < 66; ++tx) {
    Group group;
    group.items = {shared(make_item(tx, 100))};
    group.appends = {{handle, {{at(tx, 0), 0, true}}}};
    group.applied = group.confirmable = {tx};
    commit(group);
  }
  const auto head = model.head("cut");
  EXPECT_EQ(must(reader_->find(handle)).live->head, head);
  for (const auto& after : positions(model.live().at("cut"), head)) {
    const Slice slice = read(handle, after, head);
    const Slice expected = model.read("cut", after);
    EXPECT_EQ(slice.end, expected.end) << "after " << show(after);
    EXPECT_EQ(slice.items, expected.items) << "after " << show(after);
  }
}

TEST_F(UnfinishedTest, WithoutTheCutItIsTakenForWhole) {
  options_.guards.switch_off(Guard::recovery_cuts_unfinished_transactions);
  EXPECT_EQ(reopen().shapes.front().head, at(20, 0)) << "a part of a transaction";
}

}  // namespace
}  // namespace holdfast::storage
