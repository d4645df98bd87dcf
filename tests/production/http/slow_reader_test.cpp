// A client that does not take its answer costs the server a piece of it, not all of it, and gets
// the rest unharmed when it goes on (known-failures.md R138).
#include <array>
#include <filesystem>
#include <thread>

#include "core/production/http/output_queue.hpp"
#include "tests/production/http/server_fixture.hpp"

namespace holdfast::production::http {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "holdfast-spill-XXXXXX").string();
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  bool empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

/// Takes everything, `most` bytes at a time.
std::string taken(OutputQueue& queue, std::size_t most) {
  std::string all;
  while (!queue.empty()) {
    std::array<boost::asio::const_buffer, 3> buffers;
    const std::size_t count = queue.next(buffers);
    if (count == 0) return all + "<unreadable>";
    std::size_t left = most;
    for (std::size_t i = 0; i < count && left > 0; ++i) {
      const std::size_t size = std::min(left, buffers[i].size());
      all.append(static_cast<const char*>(buffers[i].data()), size);
      left -= size;
    }
    queue.sent(most - left);
  }
  return all;
}

std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
  text.resize(size);
  return text;
}

TEST(OutputQueue, GivesEveryByteOnceWhereverItWaits) {
  const TemporaryDirectory directory;
  for (const std::size_t size : {1UL, 5'000UL, OutputQueue::k_piece_bytes, 700'001UL})
    for (const std::size_t most : {1'000UL, 262'144UL, 1'000'000UL}) {
      const std::string body = numbered(size);
      OutputQueue queue;
      queue.push("head");
      queue.push(body);
      std::array<boost::asio::const_buffer, 1> buffers;
      ASSERT_EQ(queue.next(buffers), 1U);
      queue.sent(3);  // the client took a little before it stalled
      ASSERT_TRUE(queue.spill(directory.path()).ok());
      EXPECT_EQ(queue.held(), 0U);
      EXPECT_EQ(taken(queue, most), "d" + body);
      EXPECT_FALSE(queue.in_file());
    }
  EXPECT_TRUE(directory.empty()) << "the files have no names";
}

TEST(OutputQueue, ThatCannotSpillKeepsWhatItHas) {
  OutputQueue queue;
  queue.push("answer");
  const auto spilled = queue.spill("/nowhere/at/all");
  ASSERT_FALSE(spilled.ok());
  EXPECT_NE(spilled.error().message.find("/nowhere/at/all"), std::string::npos);
  EXPECT_EQ(taken(queue, 100), "answer");
}

class SlowReaders : public HttpServerTest {
 protected:
  static constexpr std::size_t k_readers = 8;
  /// Their answers have begun to arrive, and are not taken.
  void stall(Options options) {
    start(std::move(options));
    for (std::size_t i = 0; i < k_readers; ++i) {
      readers_.push_back(std::make_unique<RawClient>(port_));
      ASSERT_TRUE(readers_.back()->get("/large"));
      ASSERT_FALSE(readers_.back()->silent_for(k_test_limit_ms));
    }
  }
  bool held_at_most(std::size_t bytes) const {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (server_->statistics().held_bytes > bytes) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(5ms);
    }
    return true;
  }
  TemporaryDirectory directory_;
  std::vector<std::unique_ptr<RawClient>> readers_;
};

TEST_F(SlowReaders, CostAPieceEachAndGetTheirAnswersWhole) {
  Options options = loopback();
  options.spill_directory = directory_.path();
  options.spill_after = 20ms;
  ASSERT_NO_FATAL_FAILURE(stall(options));
  EXPECT_TRUE(held_at_most(k_readers * OutputQueue::k_piece_bytes));
  for (const auto& reader : readers_) {
    const RawResponse response = reader->read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body == large()) << response.body.size();
    ASSERT_TRUE(reader->get("/next"));
    EXPECT_EQ(reader->read_response().body, "GET /next|") << "the connection goes on";
  }
  EXPECT_TRUE(held_at_most(0));
}

TEST_F(SlowReaders, CostTheirWholeAnswersWithoutAPlaceToWait) {
  Options options = loopback();
  options.spill_after = 20ms;
  ASSERT_NO_FATAL_FAILURE(stall(options));
  std::this_thread::sleep_for(200ms);
  EXPECT_GT(server_->statistics().held_bytes, k_readers * 4 * 1024 * 1024);
}

TEST_F(SlowReaders, AreCutWhereTheirAnswersCannotWait) {
  Options options = loopback();
  options.spill_directory = directory_.path() + "/gone";
  options.spill_after = 20ms;
  ASSERT_NO_FATAL_FAILURE(stall(options));
  EXPECT_TRUE(held_at_most(0));
  for (const auto& reader : readers_)
    EXPECT_LT(reader->read_response().body.size(), large().size());
}

}  // namespace
}  // namespace holdfast::production::http
