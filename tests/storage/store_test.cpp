// What the store promises its callers, one sentence a test, on a real file system.
#include <sqlite3.h>

#include <fstream>

#include "tests/storage/store_fixture.hpp"

namespace holdfast::storage {
namespace {

using protocol::LogOffset;

constexpr LogOffset k_start = LogOffset::before_all();
constexpr LogOffset k_snapshot_end = LogOffset::snapshot_end();

TEST_F(StoreTest, ANewShapeGetsAHandleAndIsThereAfterReopening) {
  reopen();
  const auto made = must(store_->create(Hash128{1, 2}, "the definition"));
  const Boot boot = reopen();
  ASSERT_EQ(boot.shapes.size(), 1U);
  EXPECT_EQ(boot.shapes[0].handle, made.handle);
  EXPECT_EQ(boot.shapes[0].identity, (Hash128{1, 2}));
  EXPECT_EQ(boot.shapes[0].definition, "the definition");
  EXPECT_FALSE(boot.shapes[0].snapshot_complete);
  EXPECT_EQ(boot.shapes[0].head, k_start);
}

TEST_F(StoreTest, AnEqualIdentityGetsTheLivingShape) {
  reopen();
  const auto first = must(store_->create(Hash128{1, 2}, "one"));
  const auto second = must(store_->create(Hash128{1, 2}, "two"));
  EXPECT_EQ(first.handle, second.handle);
  EXPECT_EQ(second.definition, "one");
}

TEST_F(StoreTest, AHandleIsNeverGivenTwice) {
  reopen();
  const auto first = must(store_->create(Hash128{1, 2}, "one"));
  must(store_->remove(first.handle, "because", 5));
  const auto second = must(store_->create(Hash128{1, 2}, "one"));
  EXPECT_NE(first.handle, second.handle);
  must(store_->remove(second.handle, "because", 6));
  reopen();
  const auto third = must(store_->create(Hash128{1, 2}, "one"));
  EXPECT_NE(first.handle, third.handle);
  EXPECT_NE(second.handle, third.handle);
}

TEST_F(StoreTest, SnapshotChunksAreServedByVirtualOffsets) {
  reopen();
  const auto handle = make_shape(1, {"a,b", "c"});
  EXPECT_EQ(read(handle, k_start, k_snapshot_end).items, "a,b");
  EXPECT_EQ(read(handle, k_start, k_snapshot_end).end, at(0, 0));
  EXPECT_EQ(read(handle, at(0, 0), k_snapshot_end).items, "c");
  EXPECT_EQ(read(handle, at(0, 0), k_snapshot_end).end, at(0, 1));
  EXPECT_EQ(read(handle, at(0, 1), k_snapshot_end).items, "");
  EXPECT_EQ(read(handle, at(0, 1), k_snapshot_end).end, k_snapshot_end);
}

TEST_F(StoreTest, CommittedRecordsAreReadBackWithTheLastHeader) {
  reopen();
  const auto handle = make_shape(1);
  Group group;
  group.items = {shared(make_item(1)), shared(make_item(2))};
  group.appends = {{handle, {{at(100, 0), 0, false}, {at(100, 2), 1, true}}}};
  group.applied = {100};
  group.confirmable = {108};
  const auto result = must(store_->commit(group));
  ASSERT_EQ(result.heads.size(), 1U);
  EXPECT_EQ(result.heads[0].head, at(100, 2));
  const std::string expected = R"({"key":"k1","headers":{}},{"key":"k2","headers":{,"last":true}})";
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(read(handle, k_snapshot_end, at(100, 2)).items, expected);
    EXPECT_EQ(read(handle, at(0, 0), at(100, 2)).end, at(100, 2));
    EXPECT_EQ(read(handle, at(100, 0), at(100, 2)).items,
              R"({"key":"k2","headers":{,"last":true}})");
    EXPECT_EQ(read(handle, at(99, LogOffset::k_infinite), at(100, 0)).items, make_item(1));
    const Boot boot = reopen();
    EXPECT_EQ(boot.applied.value, 100U);
    EXPECT_EQ(boot.confirmable.value, 108U);
    EXPECT_EQ(boot.shapes[0].head, at(100, 2));
    EXPECT_EQ(boot.shapes[0].snapshot, (postgres::Snapshot{{10}, {20}, {{12}, {15}}, {77}}));
  }
}

TEST_F(StoreTest, AChunkClosesAfterTheItemThatReachesTheThreshold) {
  options_.chunk_bytes = 1000;
  reopen();
  const auto handle = make_shape(1);
  // 0.6 B, 0.7 B, 0.4 B in one transaction: two records in the first chunk (http-api.md 13.2).
  Group group;
  group.items = {shared(make_item(1, 600)), shared(make_item(2, 700)), shared(make_item(3, 400))};
  group.appends = {{handle, {{at(9, 0), 0, false}, {at(9, 2), 1, false}, {at(9, 4), 2, true}}}};
  group.applied = {9};
  must(store_->commit(group));
  EXPECT_EQ(read(handle, k_snapshot_end, at(9, 4)).end, at(9, 2));
  EXPECT_EQ(read(handle, at(9, 0), at(9, 4)).end, at(9, 2));
  EXPECT_EQ(read(handle, at(9, 2), at(9, 4)).end, at(9, 4));
  // The open chunk counts 400 and the 12 bytes of the header; 588 more would close it.
  must(store_->commit(one_change(handle, 10, 0, make_item(4, 587), false)));
  must(store_->commit(one_change(handle, 11, 0, make_item(5, 30), false)));
  must(store_->commit(one_change(handle, 12, 0, make_item(6, 30), false)));
  EXPECT_EQ(read(handle, at(9, 2), at(12, 0)).end, at(11, 0));
  reopen();
  EXPECT_EQ(read(handle, at(9, 2), at(12, 0)).end, at(11, 0));
  EXPECT_EQ(read(handle, k_snapshot_end, at(12, 0)).end, at(9, 2));
}

TEST_F(StoreTest, RecordsAboveTheAppliedLsnAreInvisibleAndCutByRecovery) {
  reopen();
  const auto handle = make_shape(1);
  must(store_->commit(one_change(handle, 50, 0, make_item(1))));
  Group part;
  part.items = {shared(make_item(2)), shared(make_item(3))};
  part.appends = {{handle, {{at(60, 0), 0, true}, {at(70, 0), 1, false}}}};
  part.applied = {60};
  const auto result = must(store_->commit(part));
  ASSERT_EQ(result.heads.size(), 1U);
  EXPECT_EQ(result.heads[0].head, at(60, 0));
  const Boot boot = reopen();
  EXPECT_EQ(boot.shapes[0].head, at(60, 0));
  // The transaction comes again and takes the same place.
  must(store_->commit(one_change(handle, 70, 0, make_item(4))));
  EXPECT_EQ(read(handle, at(60, 0), at(70, 0)).items, R"({"key":"k4","headers":{,"last":true}})");
}

TEST_F(StoreTest, ATransactionOfSeveralGroupsBecomesVisibleAsAWhole) {
  reopen();
  const auto handle = make_shape(1);
  const auto other = make_shape(2);
  Group part = one_change(handle, 70, 0, make_item(1), false);
  part.applied = part.confirmable = {0};
  auto result = must(store_->commit(part));
  ASSERT_EQ(result.heads.size(), 1U);
  EXPECT_EQ(result.heads[0].head, k_snapshot_end);
  result = must(store_->commit(one_change(other, 70, 2, make_item(2))));
  ASSERT_EQ(result.heads.size(), 2U);
  EXPECT_EQ(result.heads[0].head, at(70, 0));
  EXPECT_EQ(result.heads[1].head, at(70, 2));
}

TEST_F(StoreTest, ARemovedShapeIsGoneWithItsReasonKept) {
  reopen();
  const auto handle = make_shape(1);
  must(store_->remove(handle, "schema changed", 77));
  EXPECT_EQ(reader_->read({handle, k_start, k_snapshot_end}).error().kind, StoreFailure::not_found);
  EXPECT_EQ(must(reader_->find(handle)).removed_reason, "schema changed");
  Boot boot = reopen();
  EXPECT_TRUE(boot.shapes.empty());
  ASSERT_EQ(boot.unfinished_removals.size(), 1U);
  EXPECT_EQ(boot.unfinished_removals[0].handle, handle);
  EXPECT_EQ(boot.unfinished_removals[0].definition, "definition");
  must(store_->finish_removal(handle));
  boot = reopen();
  EXPECT_TRUE(boot.unfinished_removals.empty());
  EXPECT_EQ(must(reader_->find(handle)).removed_reason, "schema changed");
  const auto appended = must(store_->commit(one_change(handle, 90, 0, make_item(1))));
  EXPECT_TRUE(appended.heads.empty()) << "its removal won";
}

TEST_F(StoreTest, TheOlderOfTwoOpenersIsFenced) {
  reopen();
  const auto handle = make_shape(1);
  auto successor = must(open_store(disk_, options_));
  must(successor->take_over());
  EXPECT_EQ(store_->commit(one_change(handle, 5, 0, make_item(1))).error().kind,
            StoreFailure::fenced);
  EXPECT_EQ(store_->create(Hash128{8, 8}, "x").error().kind, StoreFailure::fenced);
  EXPECT_EQ(store_->remove(handle, "x", 0).error().kind, StoreFailure::fenced);
  must(successor->commit(one_change(handle, 5, 0, make_item(2))));
}

TEST_F(StoreTest, AReaderSeesThatSomebodyHasTakenOver) {
  const std::uint64_t ours = reopen().epoch;
  EXPECT_EQ(must(reader_->epoch()), ours);
  auto successor = must(open_store(disk_, options_));
  EXPECT_EQ(must(reader_->epoch()), ours);
  EXPECT_EQ(must(successor->take_over()).epoch, ours + 1);
  EXPECT_EQ(must(reader_->epoch()), ours + 1);
}

TEST_F(StoreTest, AStandbyFindsRecordsWithoutTheIndex) {
  reopen();
  const auto handle = make_shape(1);
  must(store_->commit(one_change(handle, 5, 0, make_item(1))));
  auto standby = must(open_reader(disk_, options_, nullptr));
  EXPECT_EQ(must(standby->load()).shapes.at(0).head, at(5, 0));
  must(store_->commit(one_change(handle, 6, 0, make_item(2))));
  EXPECT_EQ(must(standby->find(handle)).live->head, at(6, 0));
  EXPECT_EQ(must(standby->read({handle, k_snapshot_end, at(6, 0)})).items,
            read(handle, k_snapshot_end, at(6, 0)).items);
  EXPECT_EQ(must(standby->find_by_identity(Hash128{1ULL << 32, 1}))->handle, handle);
}

TEST_F(StoreTest, TheSystemIdentityIsKept) {
  EXPECT_EQ(reopen().system_identity, "");
  must(store_->set_system_identity("7312345678901234567/1"));
  EXPECT_EQ(must(reader_->load()).system_identity, "7312345678901234567/1");
  must(store_->set_system_identity("7312345678901234567/2"));
  EXPECT_EQ(reopen().system_identity, "7312345678901234567/2");
}

TEST_F(StoreTest, RemovingAllShapesStartsTheStreamAgain) {
  reopen();
  const auto a = make_shape(1);
  const auto b = make_shape(2);
  const auto unfinished = must(store_->create(Hash128{3, 3}, "definition")).handle;
  must(store_->commit(one_change(a, 500, 0, make_item(1))));
  must(store_->set_system_identity("one"));
  EXPECT_EQ(must(store_->remove_all("slot lost", 7)), (std::vector{a, b, unfinished}));
  for (int time = 1; time <= 2; ++time) {
    for (const auto& handle : {a, b, unfinished}) {
      const auto found = must(reader_->find(handle));
      EXPECT_FALSE(found.live.has_value()) << handle.text;
      EXPECT_EQ(found.removed_reason, "slot lost") << handle.text;
      EXPECT_EQ(reader_->read({handle, k_snapshot_end, at(500, 0)}).error().kind,
                StoreFailure::not_found);
    }
    const Boot boot = reopen();
    EXPECT_TRUE(boot.shapes.empty());
    EXPECT_EQ(boot.unfinished_removals.size(), 3U);
    EXPECT_EQ(boot.applied.value, 0U);
    EXPECT_EQ(boot.confirmable.value, 0U);
    EXPECT_EQ(boot.system_identity, "one") << "that is for the caller to change";
  }
  // Another timeline's LSNs may be lower; the same definition is another incarnation.
  const auto again = make_shape(1);
  EXPECT_NE(again, a);
  must(store_->commit(one_change(again, 40, 0, make_item(2))));
  EXPECT_EQ(must(reader_->find(again)).live->head, at(40, 0));
  EXPECT_EQ(reopen().applied.value, 40U);
  must(store_->finish_removal(a));
  must(store_->finish_removal(b));
  EXPECT_EQ(reopen().unfinished_removals.size(), 1U);
}

/// Files that are not, or no longer, what this build writes. Never touched, named in the error.
class ForeignFileTest : public StoreTest {
 protected:
  void make_database(const char* sql) {
    std::filesystem::create_directories(options_.directory);
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  std::string path() const { return options_.directory + "/store.db"; }
  std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Both the holder and a standby refuse the file with this in the message, and leave it alone.
  void expect_refused(std::string_view reason) {
    // A reader looks at a store only when its log is there.
    std::ofstream(path() + "-wal", std::ios::app).flush();
    const std::string before = content();
    const auto opened = open_store(disk_, options_);
    const auto read = open_reader(disk_, options_, nullptr);
    ASSERT_FALSE(opened.ok());
    ASSERT_FALSE(read.ok());
    for (const StoreError& error : {opened.error(), read.error()}) {
      EXPECT_EQ(error.kind, StoreFailure::corrupt) << error.message;
      EXPECT_NE(error.message.find(path()), std::string::npos) << error.message;
      EXPECT_NE(error.message.find(reason), std::string::npos) << error.message;
    }
    EXPECT_EQ(content(), before);
  }
};

TEST_F(ForeignFileTest, AnotherProgramsDatabaseIsRefused) {
  make_database("CREATE TABLE people(name)");
  expect_refused("not a Holdfast store (application id 0)");
}

TEST_F(ForeignFileTest, AnotherApplicationIdIsRefused) {
  make_database("PRAGMA application_id=7; PRAGMA user_version=1; CREATE TABLE state(id)");
  expect_refused("not a Holdfast store (application id 7)");
}

TEST_F(ForeignFileTest, AnotherFormatVersionIsRefused) {
  reopen();
  store_.reset();
  reader_.reset();
  make_database("PRAGMA user_version=1; PRAGMA wal_checkpoint(TRUNCATE)");
  expect_refused("format version 1 is not supported; this build reads version 2");
}

TEST_F(ForeignFileTest, AnotherOwnersShapesAreRefusedAndKept) {
  options_.owner = "slot_a";
  reopen();
  const auto handle = make_shape(1);
  const std::uint64_t epoch = must(reader_->load()).epoch;
  store_.reset();
  reader_.reset();

  options_.owner = "slot_b";
  EXPECT_EQ(check_owner(disk_, options_).error().kind, StoreFailure::foreign);
  store_ = must(open_store(disk_, options_));
  const auto taken = store_->take_over();
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().kind, StoreFailure::foreign);
  EXPECT_EQ(taken.error().message,
            path() + " holds the shapes of replication slot \"slot_a\", not of \"slot_b\"");
  EXPECT_EQ(open_reader(disk_, options_, nullptr).error().kind, StoreFailure::foreign);
  store_.reset();

  options_.owner = "slot_a";
  EXPECT_TRUE(check_owner(disk_, options_).ok());
  const Boot boot = reopen();
  EXPECT_EQ(boot.epoch, epoch + 1) << "the other one raised no epoch";
  ASSERT_EQ(boot.shapes.size(), 1U);
  EXPECT_EQ(boot.shapes[0].handle, handle);
}

TEST_F(ForeignFileTest, ADirectoryWithoutAStoreIsAnybodys) {
  options_.owner = "slot_a";
  EXPECT_TRUE(check_owner(disk_, options_).ok());
}

TEST_F(ForeignFileTest, WhatIsNoDatabaseIsRefused) {
  std::filesystem::create_directories(options_.directory);
  std::ofstream(path()) << std::string(9000, 'x');
  expect_refused("not a database");
}

TEST_F(ForeignFileTest, ATruncatedDatabaseIsRefused) {
  reopen();
  for (std::uint64_t number = 1; number < 40; ++number) make_shape(number);
  store_.reset();
  reader_.reset();
  make_database("PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::resize_file(path(), 3 * 4096);
  auto store = open_store(disk_, options_);
  if (store) {
    const auto boot = (*store)->take_over();
    ASSERT_FALSE(boot.ok());
    EXPECT_EQ(boot.error().kind, StoreFailure::corrupt) << boot.error().message;
    EXPECT_NE(boot.error().message.find(path()), std::string::npos) << boot.error().message;
  } else {
    EXPECT_EQ(store.error().kind, StoreFailure::corrupt) << store.error().message;
    EXPECT_NE(store.error().message.find(path()), std::string::npos) << store.error().message;
  }
}

TEST_F(StoreTest, ACatalogueRowWithTheHandleOfAnotherIsCorrupt) {
  reopen();
  make_shape(1);
  store_.reset();
  reader_.reset();
  const std::string path = options_.directory + "/store.db";
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "UPDATE shape SET handle='7-7'", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  store_ = must(open_store(disk_, options_));
  const auto boot = store_->take_over();
  ASSERT_FALSE(boot.ok());
  EXPECT_EQ(boot.error().kind, StoreFailure::corrupt);
  EXPECT_EQ(boot.error().message, path + ": table shape, row 1: the handle is not the row's");
}

}  // namespace
}  // namespace holdfast::storage
