// What the actors of a live run share: one event loop, one clock, the plan, the recording. All
// actors are coroutines of the loop, so nothing here is touched by two threads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>

#include "scenarios/strict_client.hpp"
#include "tools/sim/live/recording.hpp"

namespace holdfast::tools::live {

/// For tests: what goes wrong between a correct server and its clients.
struct Sabotage {
  /// May change any answer before the client gets it.
  std::function<void(const oracle::ShapeSpec&, protocol::Response&)> answer = {};
  /// Called before each restart's server starts, with the storage directory.
  std::function<void(const std::string&)> before_restart = {};
};

class Stage {
 public:
  Stage(const scenarios::Plan& its_plan, const Sabotage& its_sabotage)
      : plan(its_plan), sabotage(its_sabotage) {}

  Instant now() const { return {std::chrono::steady_clock::now() - start_}; }
  void note(std::string what) { recording.events.push_back({now(), std::move(what)}); }
  void object(const char* property, std::string what) {
    note("VIOLATION " + what);
    recording.violations.push_back({property, std::move(what), {}, now()});
  }
  void sleep(Duration duration, boost::asio::yield_context yield) {
    if (duration <= Duration{0}) return;
    boost::asio::steady_timer timer(loop, duration);
    timer.async_wait(yield);
  }
  /// Looks every few milliseconds. False: not within the limit.
  bool wait_until(const std::function<bool()>& done, Duration limit,
                  boost::asio::yield_context yield) {
    const Instant end = now() + limit;
    while (!done()) {
      if (now() >= end) return false;
      sleep(std::chrono::milliseconds(5), yield);
    }
    return true;
  }
  /// Starts a coroutine. An exception in it ends the run.
  void spawn(std::function<void(boost::asio::yield_context)> body) {
    boost::asio::spawn(loop, std::move(body), [this](const std::exception_ptr& error) {
      if (!error || failure) return;
      failure = error;
      loop.stop();
    });
  }

  const scenarios::Plan& plan;
  const Sabotage& sabotage;
  Recording recording;
  std::exception_ptr failure;
  unsigned restarts_over = 0;
  /// Commit LSN that every client must have seen to have converged; 0: still at work.
  std::uint64_t final_commit = 0;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();

 public:
  boost::asio::io_context loop{1};  ///< last: its coroutines use the rest while they are taken down
};

}  // namespace holdfast::tools::live
