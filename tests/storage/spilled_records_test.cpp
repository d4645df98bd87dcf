// Records whose items were spilled to a segment before their commit: read as if they had been held,
// in one commit with what stands around them, and their segment goes.
#include <filesystem>

#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {
namespace {

using protocol::LogOffset;

class SpilledRecordsTest : public StoreTest {
 protected:
  static constexpr std::size_t k_items = 3'000;  // of more than one piece

  SpilledRecordsTest() { options_.chunk_bytes = 300'000; }

  static std::string item(std::size_t number) {
    return make_item(number, number % 7 == 0 ? 5'000 : 400);
  }
  /// A record, many with the ops after it, and two more.
  Group held(const protocol::ShapeHandle& handle) const {
    Group group;
    group.applied = {9};
    std::vector<RecordRef> records;
    const auto add = [&](LogOffset offset, std::string text, bool last) {
      records.push_back({offset, static_cast<std::uint32_t>(group.items.size()), last});
      group.items.push_back(shared(std::move(text)));
    };
    add(at(7, 3), make_item(1), true);
    for (std::size_t i = 0; i < k_items; ++i) add(at(7, 4 + i), item(i), false);
    add(at(7, 4 + k_items), make_item(2), false);
    add(at(9, 0), make_item(3), true);
    group.appends = {{handle, std::move(records)}};
    return group;
  }
  /// The same with the many spilled, between two others of a second shape.
  Group spilled(const protocol::ShapeHandle& handle) {
    auto writer = must(store_->write_snapshot(handle));
    auto items = std::make_shared<SpilledItems>();
    for (std::size_t i = 0; i < k_items; ++i) {
      const std::string text = item(i);
      must(writer->append(text));
      items->sizes.push_back(static_cast<std::uint32_t>(text.size()));
    }
    items->segment = must(writer->finish());
    Group group;
    group.applied = {9};
    group.items = {shared(make_item(1)), shared(make_item(2)), shared(make_item(3))};
    group.appends = {{handle,
                      {{at(7, 3), 0, true}, {at(7, 4 + k_items), 1, false}, {at(9, 0), 2, true}},
                      {{1, at(7, 4), items}}}};
    return group;
  }
  std::vector<Slice> slices(const protocol::ShapeHandle& handle) {
    std::vector<Slice> all;
    LogOffset after = LogOffset::snapshot_end();
    while (after < at(9, 0)) {
      all.push_back(read(handle, after, at(9, 0)));
      if (all.back().end == after) break;
      after = all.back().end;
    }
    return all;
  }
  void expect_equal(const protocol::ShapeHandle& one, const protocol::ShapeHandle& other) {
    const auto first = slices(one);
    const auto second = slices(other);
    ASSERT_EQ(first.size(), second.size());
    ASSERT_GT(first.size(), 3U);
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].end, second[i].end) << i;
      EXPECT_TRUE(first[i].items == second[i].items) << i;
    }
  }
  void finish_maintenance() {
    for (int i = 0; i < 1'000 && must(store_->maintain()).more; ++i) continue;
  }
  std::size_t segment_files() const {
    const auto files = std::filesystem::directory_iterator(options_.directory + "/segments");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
};

TEST_F(SpilledRecordsTest, AreReadAsIfTheyHadBeenHeld) {
  reopen();
  const auto one = make_shape(1);
  const auto other = make_shape(2);
  must(store_->commit(held(one)));
  const CommitResult result = must(store_->commit(spilled(other)));
  ASSERT_EQ(result.heads.size(), 1U);
  EXPECT_EQ(result.heads.front().head, at(9, 0));
  expect_equal(one, other);
  // Beside another shape's records in one commit, too, and with a commit after it.
  must(store_->commit(one_change(other, 11, 0, make_item(5))));
  must(store_->commit(one_change(one, 12, 0, make_item(5))));
  expect_equal(one, other);
  reopen();
  expect_equal(one, other);
}

TEST_F(SpilledRecordsTest, AreSealedAsTheOthersAreAndTheirSegmentGoes) {
  options_.journal_bytes = 1;
  reopen();
  const auto one = make_shape(1);
  const auto other = make_shape(2);
  must(store_->commit(held(one)));
  const Group group = spilled(other);
  const std::string path =
      options_.directory + "/segments/" + group.appends.front().spilled.front().items->segment;
  EXPECT_TRUE(std::filesystem::exists(path));
  must(store_->commit(group));
  finish_maintenance();
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_GT(segment_files(), 0U) << "nothing was sealed";
  expect_equal(one, other);
}

TEST_F(SpilledRecordsTest, OfAShapeThatIsGoneLeaveNothing) {
  reopen();
  const auto handle = make_shape(1);
  const Group group = spilled(handle);
  must(store_->remove(handle, "because", 5));
  must(store_->commit(group));
  must(store_->finish_removal(handle));
  finish_maintenance();
  EXPECT_EQ(segment_files(), 0U);
}

TEST_F(SpilledRecordsTest, ThatWereNeverCommittedLeaveNothing) {
  reopen();
  const auto handle = make_shape(1);
  (void)spilled(handle);
  EXPECT_EQ(segment_files(), 1U);
  reopen();
  EXPECT_EQ(segment_files(), 0U);
}

TEST_F(SpilledRecordsTest, WhoseSegmentIsDamagedChangeNothing) {
  reopen();
  const auto handle = make_shape(1);
  const Group group = spilled(handle);
  const std::string path =
      options_.directory + "/segments/" + group.appends.front().spilled.front().items->segment;
  auto file = std::move(disk_.open(path, env::OpenMode::read_write)).value();
  ASSERT_TRUE(file->write_at(2'000'000, "?").ok());  // of the second piece
  const auto result = store_->commit(group);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, StoreFailure::corrupt);
  const Boot boot = reopen();
  EXPECT_EQ(boot.applied.value, 0U);
  EXPECT_EQ(boot.shapes.front().head, LogOffset::snapshot_end());
}

}  // namespace
}  // namespace holdfast::storage
