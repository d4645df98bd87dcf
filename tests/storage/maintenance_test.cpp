// Sealing, rewriting and collecting move bytes about; nobody who reads may notice (I-2, I-9).
#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {
namespace {

using protocol::LogOffset;

class MaintenanceTest : public StoreTest {
 protected:
  void finish_maintenance() {
    for (int slices = 0; must(store_->maintain()).more; ++slices)
      ASSERT_LT(slices, 1000) << "maintenance does not end";
  }
  std::vector<std::string> segment_files() {
    return disk_.list(options_.directory + "/segments").value();
  }
  /// Every slice a client sees that starts at 0_inf, and what an arbitrary position gives.
  std::vector<std::string> all_slices(const protocol::ShapeHandle& handle, LogOffset head) {
    std::vector<std::string> slices;
    for (LogOffset after = LogOffset::snapshot_end(); after < head;) {
      const Slice slice = read(handle, after, head);
      EXPECT_GT(slice.end, after);
      slices.push_back(slice.items + "@" + std::to_string(slice.end.tx) + "_" +
                       std::to_string(slice.end.op));
      after = slice.end;
    }
    for (std::uint64_t tx = 1; tx <= head.tx; ++tx) {
      const Slice slice = read(handle, at(tx, 0), head);
      slices.push_back(std::to_string(slice.end.tx) + "_" + std::to_string(slice.end.op) + ":" +
                       slice.items);
    }
    return slices;
  }
};

TEST_F(MaintenanceTest, SealingChangesNeitherChunkEndsNorBytes) {
  options_.chunk_bytes = 1000;
  options_.journal_bytes = 4000;
  reopen();
  const auto a = make_shape(1);
  const auto b = make_shape(2);
  for (std::uint64_t tx = 1; tx <= 60; ++tx) {
    Group group;
    group.items = {shared(make_item(tx, 100 + tx * 7 % 300)), shared(make_item(tx + 1000, 50))};
    group.appends = {{a, {{at(tx, 0), 0, false}, {at(tx, 2), 1, true}}}};
    if (tx % 3 == 0) group.appends.push_back({b, {{at(tx, 2), 1, true}}});
    group.applied = {tx};
    must(store_->commit(group));
  }
  const auto of_a = all_slices(a, at(60, 2));
  const auto of_b = all_slices(b, at(60, 2));
  EXPECT_TRUE(segment_files().empty());
  finish_maintenance();
  EXPECT_FALSE(segment_files().empty());
  EXPECT_EQ(all_slices(a, at(60, 2)), of_a);
  EXPECT_EQ(all_slices(b, at(60, 2)), of_b);
  must(store_->commit(one_change(a, 61, 0, make_item(61))));
  const auto longer = all_slices(a, at(61, 0));
  const Boot boot = reopen();
  EXPECT_EQ(boot.shapes.at(0).head, at(61, 0));
  EXPECT_EQ(boot.shapes.at(1).head, at(60, 2));
  EXPECT_EQ(all_slices(a, at(61, 0)), longer);
  EXPECT_EQ(all_slices(b, at(60, 2)), of_b);
  auto standby = must(open_reader(disk_, options_, nullptr));
  EXPECT_EQ(must(standby->read({a, LogOffset::snapshot_end(), at(61, 0)})).items,
            read(a, LogOffset::snapshot_end(), at(61, 0)).items);
}

TEST_F(MaintenanceTest, RecordsOfAnUnfinishedTransactionAreNotSealed) {
  options_.journal_bytes = 1;
  reopen();
  const auto a = make_shape(1);
  must(store_->commit(one_change(a, 5, 0, make_item(1))));
  Group part = one_change(a, 9, 0, make_item(2), false);
  part.applied = part.confirmable = {0};
  must(store_->commit(part));
  finish_maintenance();
  EXPECT_EQ(segment_files().size(), 1U);
  EXPECT_EQ(reopen().shapes.at(0).head, at(5, 0));
  must(store_->commit(one_change(a, 9, 0, make_item(3), false)));
  EXPECT_EQ(read(a, at(5, 0), at(9, 0)).items, make_item(3));
  // The new record has the row number of the one that was cut, which recovery had looked at.
  finish_maintenance();
  EXPECT_EQ(read(a, at(5, 0), at(9, 0)).items, make_item(3));
}

TEST_F(MaintenanceTest, DataOfRemovedShapesIsCollectedAndTheRestRewritten) {
  options_.journal_bytes = 1;
  reopen();
  const auto keep = make_shape(1);
  const auto drop = make_shape(2);
  Group group;
  group.items = {shared(make_item(1, 100)), shared(make_item(2, 5000))};
  group.appends = {{keep, {{at(5, 0), 0, true}}},
                   {drop, {{at(5, 0), 0, true}, {at(6, 0), 1, true}}}};
  group.applied = {6};
  must(store_->commit(group));
  finish_maintenance();
  const auto before = segment_files();
  ASSERT_EQ(before.size(), 1U);
  const auto kept = all_slices(keep, at(5, 0));
  must(store_->remove(drop, "gone", 1));
  finish_maintenance();
  EXPECT_EQ(segment_files(), before) << "its removal is not finished";
  must(store_->finish_removal(drop));
  finish_maintenance();
  finish_maintenance();  // removes the file that the last slice gave up
  ASSERT_EQ(segment_files().size(), 1U);
  EXPECT_NE(segment_files(), before);
  EXPECT_LT(std::filesystem::file_size(options_.directory + "/segments/" + segment_files()[0]),
            1000U);
  EXPECT_EQ(all_slices(keep, at(5, 0)), kept);
  reopen();
  EXPECT_EQ(all_slices(keep, at(5, 0)), kept);
}

TEST_F(MaintenanceTest, ALargeSnapshotIsServedFromItsSegmentAndCollectedWithItsShape) {
  reopen();
  const auto made = must(store_->create(Hash128{5, 5}, "d"));
  std::string bytes;
  for (int i = 0; bytes.size() < 300'000; ++i) bytes += "row" + std::to_string(i) + ",";
  auto writer = must(store_->write_snapshot(made.handle));
  for (std::size_t done = 0; done < bytes.size(); done += 70'001)
    must(writer->append(std::string_view(bytes).substr(done, 70'001)));
  Group group;
  group.completions = {{made.handle, {{1}, {2}, {}, {3}}, {{}, {100'000, bytes.size()}, {}}}};
  group.completions[0].content.segment = must(writer->finish());
  must(store_->commit(group));
  for (int round = 0; round < 2; ++round) {
    const auto head = LogOffset::snapshot_end();
    EXPECT_EQ(read(made.handle, LogOffset::before_all(), head).items, bytes.substr(0, 100'000));
    EXPECT_EQ(read(made.handle, at(0, 0), head).items, bytes.substr(100'000));
    reopen();
  }
  must(store_->remove(made.handle, "gone", 1));
  must(store_->finish_removal(made.handle));
  finish_maintenance();
  must(store_->maintain());
  EXPECT_TRUE(segment_files().empty());
}

TEST_F(MaintenanceTest, ASnapshotSegmentWithoutCompletionIsCollectedByTheNextTakeover) {
  reopen();
  const auto made = must(store_->create(Hash128{5, 5}, "d"));
  auto writer = must(store_->write_snapshot(made.handle));
  must(writer->append("rows"));
  must(writer->finish());
  EXPECT_EQ(segment_files().size(), 1U);
  reopen();
  EXPECT_TRUE(segment_files().empty());
}

TEST_F(MaintenanceTest, AFailedSealChangesNothingAndIsTriedAgain) {
  options_.journal_bytes = 1;
  reopen();
  const auto a = make_shape(1);
  must(store_->commit(one_change(a, 5, 0, make_item(1))));
  disk_.writes_fail = true;
  EXPECT_EQ(store_->maintain().error().kind, StoreFailure::io);
  EXPECT_EQ(read(a, LogOffset::snapshot_end(), at(5, 0)).items.size(), make_item(1).size() + 12);
  disk_.writes_fail = false;
  finish_maintenance();
  EXPECT_EQ(segment_files().size(), 1U);
  EXPECT_EQ(read(a, LogOffset::snapshot_end(), at(5, 0)).items.size(), make_item(1).size() + 12);
}

TEST_F(MaintenanceTest, ADamagedRunIsReportedWithPathAndOffset) {
  options_.journal_bytes = 1;
  reopen();
  const auto a = make_shape(1);
  must(store_->commit(one_change(a, 5, 0, make_item(1))));
  finish_maintenance();
  const std::string path = options_.directory + "/segments/" + segment_files().at(0);
  auto file = std::move(disk_.open(path, env::OpenMode::read_write)).value();
  ASSERT_TRUE(file->write_at(40, "?").ok());
  const auto read = reader_->read({a, LogOffset::snapshot_end(), at(5, 0)});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, StoreFailure::corrupt);
  EXPECT_NE(read.error().message.find(path), std::string::npos) << read.error().message;
  EXPECT_NE(read.error().message.find("offset 32"), std::string::npos) << read.error().message;
}

TEST_F(MaintenanceTest, ATruncatedRunIsReportedWithPathAndOffset) {
  options_.journal_bytes = 1;
  reopen();
  const auto a = make_shape(1);
  must(store_->commit(one_change(a, 5, 0, make_item(1, 200))));
  finish_maintenance();
  const std::string path = options_.directory + "/segments/" + segment_files().at(0);
  const auto whole = std::filesystem::file_size(path);
  const auto expect_corrupt_at = [&](std::uint64_t size) {
    std::filesystem::resize_file(path, size);
    // A reader of its own: the other one has the header of the open file behind it.
    auto reader = must(open_reader(disk_, options_, store_->journal_index()));
    const auto found = reader->read({a, LogOffset::snapshot_end(), at(5, 0)});
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, StoreFailure::corrupt);
    const std::string place = path + ": the file ends early at offset " + std::to_string(size);
    EXPECT_EQ(found.error().message, place);
  };
  expect_corrupt_at(whole - 1);
  expect_corrupt_at(50);
  expect_corrupt_at(10);
  expect_corrupt_at(0);
}

TEST_F(MaintenanceTest, ADamagedSnapshotSegmentIsReportedWithPathAndOffset) {
  options_.inline_snapshot_bytes = 1;
  reopen();
  const auto record = must(store_->create(Hash128{1, 1}, "definition"));
  auto writer = must(store_->write_snapshot(record.handle));
  const std::string rows(200'000, 'r');
  must(writer->append(rows));
  const std::string segment = must(writer->finish());
  Group group = completion(record.handle, {rows});
  group.completions[0].content.bytes.clear();
  group.completions[0].content.segment = segment;
  must(store_->commit(group));
  const auto ask = [&] {
    auto reader = must(open_reader(disk_, options_, store_->journal_index()));
    return reader->read({record.handle, LogOffset::before_all(), LogOffset::snapshot_end()});
  };
  ASSERT_EQ(must(ask()).items, rows);
  const std::string path = options_.directory + "/segments/" + segment;
  const auto expect_corrupt = [&](const std::string& what) {
    const auto found = ask();
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, StoreFailure::corrupt);
    EXPECT_EQ(found.error().message, path + ": " + what);
  };
  auto file = std::move(disk_.open(path, env::OpenMode::read_write)).value();
  ASSERT_TRUE(file->write_at(100, "?").ok());
  expect_corrupt("wrong checksum of a frame at offset 32");
  ASSERT_TRUE(file->write_at(0, "?").ok());
  expect_corrupt("wrong header or version at offset 0");
  std::filesystem::resize_file(path, 20);
  expect_corrupt("the file ends early at offset 20");
}

TEST_F(MaintenanceTest, AReaderWhoseIndexIsOutOfDateFindsTheRecordsItself) {
  options_.journal_bytes = 1;
  reopen();
  const auto a = make_shape(1);
  must(store_->commit(one_change(a, 5, 0, make_item(1))));
  // An index that never hears of anything stands for the moment between commit and update.
  auto late = must(open_reader(disk_, options_, std::make_shared<const JournalIndex>()));
  const auto expected = all_slices(a, at(5, 0));
  const auto check = [&] {
    EXPECT_EQ(must(late->read({a, LogOffset::snapshot_end(), at(5, 0)})).items,
              read(a, LogOffset::snapshot_end(), at(5, 0)).items);
  };
  check();
  finish_maintenance();
  check();
  EXPECT_EQ(all_slices(a, at(5, 0)), expected);
}

}  // namespace
}  // namespace holdfast::storage
