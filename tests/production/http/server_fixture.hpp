// A server on a free port of loopback whose handler echoes, parks or drops, and what its tests wait
// with. Each test starts its own.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/production/http/server.hpp"
#include "tests/production/http/raw_client.hpp"

namespace holdfast::production::http {

using namespace std::chrono_literals;

/// Holds the requests a handler parked, until the test answers them.
class Parking {
 public:
  void park(protocol::Request request, Responder responder) {
    const std::lock_guard lock(mutex_);
    parked_.push_back({std::move(request), std::move(responder)});
    changed_.notify_all();
  }
  /// Waits for the n-th parked request and takes its responder out.
  Responder take() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 10s, [&] { return !parked_.empty(); }));
    Responder responder = std::move(parked_.front().second);
    parked_.erase(parked_.begin());
    return responder;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<protocol::Request, Responder>> parked_;
};

/// A fact that another thread establishes.
class Flag {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return set_; });
  }
  bool is_set() {
    const std::lock_guard lock(mutex_);
    return set_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  static Options loopback() {
    Options options;
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }
  void start(Options options = loopback()) {
    auto started = HttpServer::start(std::move(options), [this](auto request, auto responder) {
      handle(std::move(request), std::move(responder));
    });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(started).value();
    port_ = server_->port();
  }
  void handle(protocol::Request request, Responder responder) {
    if (request.path == "/park") return parking_.park(std::move(request), std::move(responder));
    if (request.path == "/drop") return;
    if (request.path == "/block") {
      blocked_.set();
      unblock_.wait();
    }
    if (request.path == "/empty") return responder.respond({204, {}, ""});
    if (request.path == "/large") return responder.respond({200, {}, large()});
    if (request.path == "/evil")
      return responder.respond({200, {{"x-echo", "a\r\nset-cookie: b"}}, ""});
    std::string text = request.method + " " + request.path;
    for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
    responder.respond({200, {{"content-type", "text/plain"}}, text + "|" + request.body});
  }
  static std::string large() {
    std::string body(20 * 1024 * 1024, ' ');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    return body;
  }

  Parking parking_;
  Flag blocked_;  ///< a request for /block has come, and is answered once unblock_ is set
  Flag unblock_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
};

}  // namespace holdfast::production::http
