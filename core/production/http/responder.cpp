#include "core/production/http/responder.hpp"

#include "core/production/http/connection.hpp"

namespace holdfast::production::http {

Exchange::Exchange(std::shared_ptr<Lane> lane, std::weak_ptr<Connection> connection,
                   std::uint64_t number)
    : lane_(std::move(lane)), connection_(std::move(connection)), number_(number) {}

Exchange::~Exchange() {
  if (state_ == State::answered) return;
  on_connection([](Connection& connection) { connection.abandon(); });
}

void Exchange::on_connection(std::function<void(Connection&)> task) {
  lane_->run_soon([connection = connection_, number = number_, task = std::move(task)] {
    const auto live = connection.lock();
    if (live && live->serves(number)) task(*live);
  });
}

bool Exchange::move_to(State from, State to) {
  std::function<void()> dropped;  // destroyed outside the lock: it may own anything
  const std::lock_guard lock(mutex_);
  if (state_ != from) return false;
  state_ = to;
  if (to == State::answered) dropped.swap(gone_);
  return true;
}

void Exchange::respond(protocol::Response response) {
  if (!move_to(State::open, State::answered)) return;
  auto shared = std::make_shared<protocol::Response>(std::move(response));
  on_connection([shared](Connection& connection) { connection.respond(std::move(*shared)); });
}

void Exchange::start(protocol::Response head) {
  if (!move_to(State::open, State::streaming)) return;
  auto shared = std::make_shared<protocol::Response>(std::move(head));
  on_connection([shared](Connection& connection) { connection.start_stream(std::move(*shared)); });
}

void Exchange::write(std::string part) {
  if (!move_to(State::streaming, State::streaming)) return;
  auto shared = std::make_shared<std::string>(std::move(part));
  on_connection([shared](Connection& connection) { connection.write_part(std::move(*shared)); });
}

void Exchange::finish() {
  if (!move_to(State::streaming, State::answered)) return;
  on_connection([](Connection& connection) { connection.finish_stream(); });
}

void Exchange::abort() {
  if (!move_to(State::open, State::answered) && !move_to(State::streaming, State::answered)) return;
  on_connection([](Connection& connection) { connection.abort(); });
}

void Exchange::on_disconnect(std::function<void()> gone) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::answered) return;
    if (!left_) {
      gone_.swap(gone);
      return;
    }
  }
  gone();
}

void Exchange::client_left() {
  std::function<void()> gone;
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
    gone.swap(gone_);
  }
  if (gone) gone();
}

void Responder::respond(protocol::Response response) const {
  exchange_->respond(std::move(response));
}
void Responder::start(protocol::Response head) const {
  exchange_->start(std::move(head));
}
void Responder::write(std::string part) const {
  exchange_->write(std::move(part));
}
void Responder::finish() const {
  exchange_->finish();
}
void Responder::abort() const {
  exchange_->abort();
}
void Responder::on_disconnect(std::function<void()> gone) const {
  exchange_->on_disconnect(std::move(gone));
}

}  // namespace holdfast::production::http
