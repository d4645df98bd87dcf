// One I/O thread with its event loop and its connections. Everything about a connection happens on
// its lane's thread; other threads reach it through run_soon() only. Kept alive by responders, so
// that a late answer finds a closed lane and not a dangling one.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/production/http/server.hpp"

namespace holdfast::production::http {

class Connection;

/// What all lanes of a server share. Outlives them.
struct Shared {
  Options options;
  Handler handler;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> unanswered{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::size_t> held_bytes{0};  ///< of answers that clients have still to take
  std::mutex drained_mutex;
  std::condition_variable drained;  ///< told when `connections` reaches zero
};

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  using Connections = std::list<std::shared_ptr<Connection>>;

  explicit Lane(std::shared_ptr<Shared> shared);
  ~Lane();

  void start();
  /// Closes every connection and joins the thread. Not on the lane's own thread.
  void stop();
  /// Runs `task` on this lane's thread; drops it after stop(). Any thread.
  void run_soon(std::function<void()> task);

  // -- on the lane's thread only ------------------------------------------------------------------

  void adopt(std::shared_ptr<Connection> connection);
  void forget(Connections::iterator place);
  void drain();
  bool draining() const { return draining_; }
  /// The value of a date header, made once a second.
  const std::string& date();

  /// Where bytes land before they are appended to a connection's own buffer.
  std::array<char, 64 * 1024>& scratch() { return scratch_; }

  boost::asio::io_context& loop() { return loop_; }
  Shared& shared() { return *shared_; }

 private:
  void run_tasks();
  void sweep();

  std::shared_ptr<Shared> shared_;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweeper_;
  Connections connections_;
  bool draining_ = false;
  bool stopping_ = false;
  std::array<char, 64 * 1024> scratch_;
  std::string date_;
  std::int64_t date_second_ = -1;
  std::thread thread_;

  std::mutex tasks_mutex_;
  std::vector<std::function<void()>> tasks_;
  bool closed_ = false;
};

}  // namespace holdfast::production::http
