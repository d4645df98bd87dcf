// A directory of the real file system and what tests of the store do with it, again and again.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/storage/journal_index.hpp"
#include "core/storage/store.hpp"
#include "tests/storage/plain_disk.hpp"

namespace holdfast::storage {

inline protocol::LogOffset at(std::uint64_t tx, std::uint64_t op) {
  return protocol::LogOffset::at(tx, op);
}

/// An item of about `size` bytes that names itself.
inline std::string make_item(std::uint64_t number, std::size_t size = 0) {
  std::string text = R"({"key":"k)" + std::to_string(number) + R"(","headers":{)";
  if (size > text.size() + 2) text.append(size - text.size() - 2, 'x');
  return text + "}}";
}

inline std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

/// REQUIRES: the result is ok; its value, or a failed test that says why.
template <class T>
T must(StoreResult<T> result) {
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return std::move(result).value();
}
inline void must(StoreResult<void> result) {
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
}

/// A group with one item for one shape.
inline Group one_change(const protocol::ShapeHandle& handle, std::uint64_t tx, std::uint64_t op,
                        std::string item, bool last = true) {
  Group group;
  group.items = {shared(std::move(item))};
  group.appends = {{handle, {{at(tx, op), 0, last}}}};
  group.applied = {tx};
  group.confirmable = {tx + 8};
  return group;
}

inline Group completion(const protocol::ShapeHandle& handle,
                        const std::vector<std::string>& chunks) {
  Group group;
  SnapshotCompletion complete{handle, {{10}, {20}, {{12}, {15}}, {77}}, {}};
  for (const std::string& chunk : chunks) {
    complete.content.bytes += chunk;
    complete.content.chunk_ends.push_back(complete.content.bytes.size());
  }
  group.completions = {complete};
  return group;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::temp_directory_path() /
            ("holdfast_storage_" + std::string(info->test_suite_name()) + "_" + info->name() + "_" +
             std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
    options_.directory = (root_ / "store").string();
  }
  ~StoreTest() override {
    reader_.reset();
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  /// Closes what is open, opens again and takes over.
  Boot reopen() {
    reader_.reset();
    store_.reset();
    store_ = must(open_store(disk_, options_));
    Boot boot = must(store_->take_over());
    reader_ = must(open_reader(disk_, options_, store_->journal_index()));
    return boot;
  }
  /// A live shape with a complete snapshot.
  protocol::ShapeHandle make_shape(std::uint64_t number,
                                   const std::vector<std::string>& chunks = {"[]"}) {
    const auto record = must(store_->create(Hash128{number << 32, number}, "definition"));
    must(store_->commit(completion(record.handle, chunks)));
    return record.handle;
  }
  Slice read(const protocol::ShapeHandle& handle, protocol::LogOffset after,
             protocol::LogOffset head) {
    return must(reader_->read({handle, after, head}));
  }

  std::filesystem::path root_;
  PlainDisk disk_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace holdfast::storage
