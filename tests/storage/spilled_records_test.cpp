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

// Of transactions, with others between them: some end theirs, ops are left out, and all are in one
// segment, not in their order.
TEST_F(SpilledRecordsTest, OfTransactionsAreReadAsIfTheyHadBeenHeld) {
  reopen();
  const auto one = make_shape(1);
  const auto other = make_shape(2);
  const auto place_of = [](std::size_t i) {
    const std::size_t tx = 4 + i / 7;
    return SpilledRecords::Place{at(tx, 2 * i), i % 7 == 6};
  };
  Group all;
  all.applied = {9 + k_items};
  Group in_part = all;
  std::vector<RecordRef> records;
  const auto writer = must(store_->write_snapshot(other));
  std::uint64_t written = 0;
  const auto write = [&](std::size_t from, std::size_t to) {
    auto items = std::make_shared<SpilledItems>();
    items->begin = written;
    SpilledRecords made{0, place_of(from).offset, items};
    for (std::size_t i = from; i < to; ++i) {
      must(writer->append(item(i)));
      written += item(i).size();
      items->sizes.push_back(static_cast<std::uint32_t>(item(i).size()));
      made.places.push_back(place_of(i));
    }
    return std::pair(made, items);
  };
  const std::size_t half = k_items / 2;
  auto [second, second_items] = write(half, k_items);
  auto [first, first_items] = write(0, half);
  first_items->segment = second_items->segment = must(writer->finish());
  for (std::size_t i = 0; i <= k_items; ++i) {
    records.push_back({i < k_items ? place_of(i).offset : at(9 + k_items, 0),
                       static_cast<std::uint32_t>(i), i == k_items || place_of(i).last});
    all.items.push_back(shared(item(i)));
  }
  all.appends = {{one, records}};
  in_part.items = {all.items.back()};
  in_part.appends = {{other, {{at(9 + k_items, 0), 0, true}}, {first, second}}};
  must(store_->commit(all));
  must(store_->commit(in_part));
  const auto whole = [&](const protocol::ShapeHandle& handle) {
    std::string text;
    for (LogOffset after = LogOffset::snapshot_end(); after < at(9 + k_items, 0);) {
      const Slice slice = read(handle, after, at(9 + k_items, 0));
      text += slice.end.to_string() + slice.items;
      if (slice.end == after) break;
      after = slice.end;
    }
    return text;
  };
  EXPECT_TRUE(whole(one) == whole(other));
  EXPECT_GT(whole(one).size(), 100 * k_items);
  finish_maintenance();
  reopen();
  EXPECT_TRUE(whole(one) == whole(other));
}

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
