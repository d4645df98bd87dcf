#include "core/production/http/lane.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <ctime>

#include "core/base/assert.hpp"
#include "core/production/http/connection.hpp"

namespace holdfast::production::http {
namespace {

/// Deadlines are looked at by one sweep a lane instead of one timer a connection: a parked request
/// then needs no timer, and being late by a quarter of the shortest limit does not matter.
std::chrono::milliseconds sweep_period(const Options& options) {
  const auto shortest = std::min({options.idle_timeout, options.head_timeout, options.body_timeout,
                                  options.send_timeout, options.spill_after});
  return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(1000));
}

}  // namespace

Lane::Lane(std::shared_ptr<Shared> shared)
    : shared_(std::move(shared)), work_(boost::asio::make_work_guard(loop_)), sweeper_(loop_) {}

Lane::~Lane() {
  ASSERT(!thread_.joinable(), "a lane is stopped before it is destroyed");
}

void Lane::start() {
  sweep();
  thread_ = std::thread([this] { loop_.run(); });
}

void Lane::stop() {
  if (!thread_.joinable()) return;
  run_soon([this] {
    stopping_ = true;
    // Each close() takes its connection out of the list.
    while (!connections_.empty()) std::shared_ptr(connections_.front())->close();
    sweeper_.cancel();
    work_.reset();
    const std::lock_guard lock(tasks_mutex_);
    closed_ = true;
  });
  thread_.join();
}

void Lane::run_soon(std::function<void()> task) {
  {
    const std::lock_guard lock(tasks_mutex_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
    if (tasks_.size() > 1) return;  // whoever made it non-empty has woken the loop
  }
  boost::asio::post(loop_, [self = shared_from_this()] { self->run_tasks(); });
}

void Lane::run_tasks() {
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard lock(tasks_mutex_);
    batch.swap(tasks_);
  }
  for (auto& task : batch) {
    task();
    task = nullptr;  // what it captured goes now: it may hold the last copy of a large response
  }
}

void Lane::adopt(std::shared_ptr<Connection> connection) {
  if (stopping_) return;
  connections_.push_front(std::move(connection));
  connections_.front()->start(connections_.begin());
}

void Lane::forget(Connections::iterator place) {
  connections_.erase(place);
}

void Lane::drain() {
  draining_ = true;
  for (auto it = connections_.begin(); it != connections_.end();) {
    const std::shared_ptr<Connection> connection = *it++;
    connection->drain();
  }
}

void Lane::sweep() {
  const auto now = std::chrono::steady_clock::now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    const std::shared_ptr<Connection> connection = *it++;
    connection->check_deadline(now);
  }
  sweeper_.expires_after(sweep_period(shared_->options));
  sweeper_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    // cancel() does not reach a wait that was over already: its handler came after stop()'s task.
    if (!error && !self->stopping_) self->sweep();
  });
}

const std::string& Lane::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[40];
    // The C locale's names are those of RFC 9110; the process never calls setlocale().
    date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
  }
  return date_;
}

}  // namespace holdfast::production::http
