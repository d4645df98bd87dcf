#include "core/production/http/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstdio>
#include <span>

#include "core/base/assert.hpp"

namespace holdfast::production::http {
namespace {

using boost::system::error_code;

/// Requests a client sends ahead of our answers are read up to this size and then left in the
/// kernel, where TCP's own flow control holds the client back.
constexpr std::size_t k_pipelined_bytes = 64 * 1024;
/// How long and how much a refused or last request's client may go on sending before the cut. An
/// immediate close would reset the connection and could destroy the answer on its way.
constexpr std::chrono::milliseconds k_linger_time{2'000};
constexpr std::size_t k_linger_bytes = 16 * 1024 * 1024;
constexpr std::size_t k_buffers_per_write = 16;

std::string chunk_size_line(std::size_t size) {
  char text[24];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%zx\r\n", size))};
}

protocol::Response plain(int status, const std::string& message) {
  return {status,
          {{"content-type", "text/plain; charset=utf-8"},
           {"cache-control", "max-age=0, private, must-revalidate"}},
          message + "\n"};
}

}  // namespace

Connection::Connection(std::shared_ptr<Lane> lane, Socket socket)
    : lane_(std::move(lane)), socket_(std::move(socket)) {}

Connection::~Connection() = default;

void Connection::start(Lane::Connections::iterator place) {
  place_ = place;
  lane_->shared().connections.fetch_add(1);
  error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  set_deadline(lane_->shared().options.idle_timeout);
  watch();
  if (lane_->draining()) drain();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  const auto self = shared_from_this();  // forget() may drop the last other owner
  answered();
  phase_ = Phase::closed;
  error_code ignored;
  socket_.close(ignored);
  output_.clear();
  count_held();
  reader_.reset();
  if (const auto exchange = exchange_.lock()) exchange->client_left();
  lane_->forget(place_);
  Shared& shared = lane_->shared();
  if (shared.connections.fetch_sub(1) == 1) {
    const std::lock_guard lock(shared.drained_mutex);
    shared.drained.notify_all();
  }
}

void Connection::abort() {
  error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  close();
}

void Connection::set_deadline(std::chrono::milliseconds limit) {
  deadline_ = std::chrono::steady_clock::now() + limit;
}

void Connection::spill_if_slow(std::chrono::steady_clock::time_point now) {
  const Options& options = lane_->shared().options;
  const bool slow = phase_ == Phase::sending && now >= spill_at_ && !output_.in_file() &&
                    output_.held() > OutputQueue::k_piece_bytes;
  if (!slow || options.spill_directory.empty()) return;
  if (const auto spilled = output_.spill(options.spill_directory); !spilled.ok()) {
    options.log(spilled.error().message);
    return abort();  // the client asks again
  }
  count_held();
}

void Connection::check_deadline(std::chrono::steady_clock::time_point now) {
  spill_if_slow(now);
  if (now < deadline_) return;
  switch (phase_) {
    case Phase::idle:
    case Phase::lingering:
      return close();
    case Phase::reading:
      return refuse(408, reader_ && reader_->in_body() ? "The body did not arrive in time"
                                                       : "The request did not arrive in time");
    case Phase::sending:
    case Phase::streaming:
      return abort();  // the client takes nothing: what is left in the kernel is of no use to it
    case Phase::handling:
    case Phase::closed:
      return;
  }
}

void Connection::drain() {
  if (phase_ != Phase::idle) return;
  // A request may have reached the kernel before the drain began: it is answered, not reset.
  if (receive() != Received::bytes) return linger();
  begin_reading();
}

// -- reading --------------------------------------------------------------------------------------

void Connection::watch() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->watching_ = false;
    if (self->phase_ == Phase::closed) return;
    if (error) return self->close();
    self->on_readable();
  });
}

Connection::Received Connection::receive() {
  error_code error;
  auto& scratch = lane_->scratch();
  const std::size_t size = socket_.read_some(boost::asio::buffer(scratch), error);
  if (error == boost::asio::error::would_block) return Received::nothing;
  if (error == boost::asio::error::eof) return Received::end;
  if (error) return Received::broken;
  input_.append(scratch.data(), size);
  return Received::bytes;
}

void Connection::on_readable() {
  if (phase_ == Phase::lingering) return discard_input();
  const bool between = phase_ == Phase::idle || phase_ == Phase::reading;
  if (!between && input_.size() >= k_pipelined_bytes) return;  // watched again by next_request()
  switch (receive()) {
    case Received::nothing:
      return watch();
    case Received::end:
      return on_end_of_stream();
    case Received::broken:
      return close();
    case Received::bytes:
      break;
  }
  if (phase_ == Phase::idle) return begin_reading();
  if (phase_ == Phase::reading) return process_input();
  watch();
}

void Connection::begin_reading() {
  phase_ = Phase::reading;
  set_deadline(lane_->shared().options.head_timeout);
  process_input();
}

void Connection::on_end_of_stream() {
  client_finished_ = true;
  if (phase_ == Phase::idle || phase_ == Phase::reading) return close();
  // Most clients that end their side are gone, so the engine may free the request; should an answer
  // come all the same, a client that only finished sending (netcat) gets it.
  if (const auto exchange = exchange_.lock()) exchange->client_left();
}

void Connection::process_input() {
  if (!reader_) reader_ = std::make_unique<RequestReader>(lane_->shared().options.limits);
  const bool was_in_body = reader_->in_body();
  std::size_t used = 0;
  const auto state = reader_->consume(input_, used);
  input_.erase(0, used);
  switch (state) {
    case RequestReader::State::complete:
      return begin_request();
    case RequestReader::State::refused: {
      const Refusal refusal = reader_->refusal();
      return refuse(refusal.status, refusal.message);
    }
    case RequestReader::State::need_more:
      break;
  }
  if (client_finished_) return close();
  if (reader_->in_body() && !was_in_body) set_deadline(lane_->shared().options.body_timeout);
  if (reader_->take_expectation()) {
    // Nothing else is in the socket's buffer, so these 25 bytes fit or the connection is broken.
    constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
    error_code error;
    socket_.write_some(boost::asio::buffer(k_continue), error);
    if (error) return close();
  }
  watch();
}

void Connection::begin_request() {
  Shared& shared = lane_->shared();
  shared.requests.fetch_add(1);
  shared.unanswered.fetch_add(1);
  ++served_;
  protocol::Request request = reader_->take_request();
  head_only_ = request.method == "HEAD";
  client_chunks_ = reader_->understands_chunks();
  const unsigned most = shared.options.max_requests_per_connection;
  close_after_ = !reader_->keep_alive() || (most != 0 && served_ >= most);
  reader_.reset();
  input_.shrink_to_fit();
  phase_ = Phase::handling;
  deadline_ = std::chrono::steady_clock::time_point::max();
  if (!client_finished_) watch();
  const auto exchange = std::make_shared<Exchange>(lane_, weak_from_this(), ++exchange_number_);
  exchange_ = exchange;
  shared.handler(std::move(request), Responder(exchange));
}

void Connection::refuse(int status, const std::string& message) {
  reader_.reset();
  close_after_ = true;
  head_only_ = false;
  phase_ = Phase::sending;
  if (auto bare = bare_refusal(status)) {
    queue(std::move(*bare));
  } else {
    protocol::Response response = plain(status, message);
    send_head(response, Framing::length);
    queue(std::move(response.body));
  }
  flush();
}

void Connection::discard_input() {
  error_code error;
  const std::size_t size = socket_.read_some(boost::asio::buffer(lane_->scratch()), error);
  discarded_ += size;
  if (error && error != boost::asio::error::would_block) return close();
  if (discarded_ > k_linger_bytes) return close();
  watch();
}

// -- answering ------------------------------------------------------------------------------------

bool Connection::serves(std::uint64_t exchange) const {
  return exchange == exchange_number_ && (phase_ == Phase::handling || phase_ == Phase::streaming);
}

void Connection::answered() {
  if (phase_ == Phase::handling) lane_->shared().unanswered.fetch_sub(1);
}

void Connection::respond(protocol::Response response) {
  ASSERT(phase_ == Phase::handling, "a whole response is sent to a request that waits for it");
  answered();
  phase_ = Phase::sending;
  spill_at_ = std::chrono::steady_clock::now() + lane_->shared().options.spill_after;
  send_head(response, Framing::length);
  if (!head_only_ && may_have_body(response.status)) queue(std::move(response.body));
  flush();
}

void Connection::start_stream(protocol::Response head) {
  ASSERT(phase_ == Phase::handling, "a response is begun for a request that waits for it");
  answered();
  phase_ = Phase::streaming;
  framing_ = client_chunks_ ? Framing::chunked : Framing::until_close;
  if (framing_ == Framing::until_close) close_after_ = true;
  send_head(head, framing_);
  if (!may_have_body(head.status)) head_only_ = true;
  if (head.body.empty()) return flush();
  write_part(std::move(head.body));
}

void Connection::write_part(std::string part) {
  if (phase_ != Phase::streaming || part.empty() || head_only_) return;
  const std::size_t size = part.size();
  if (framing_ == Framing::chunked) queue(chunk_size_line(size));
  queue(std::move(part));
  if (framing_ == Framing::chunked) queue("\r\n");
  flush();
  // After the attempt to send: one part larger than the limit is fine as long as it moves.
  const std::size_t limit = lane_->shared().options.stream_backlog_bytes;
  if (phase_ == Phase::streaming && output_.held() > std::max(limit, size)) abort();
}

void Connection::finish_stream() {
  if (phase_ != Phase::streaming) return;
  if (framing_ == Framing::chunked && !head_only_) queue("0\r\n\r\n");
  phase_ = Phase::sending;
  flush();
}

void Connection::abandon() {
  if (phase_ == Phase::streaming) return abort();
  if (client_finished_) return close();
  protocol::Response response = plain(500, "");
  response.headers[0].second = "application/json; charset=utf-8";
  response.body = R"({"error":"Internal server error"})";
  respond(std::move(response));
}

void Connection::send_head(const protocol::Response& response, Framing framing) {
  if (lane_->draining()) close_after_ = true;
  queue(encode_head(response, framing,
                    close_after_ ? AfterResponse::close : AfterResponse::keep_open, lane_->date()));
}

void Connection::queue(std::string bytes) {
  if (bytes.empty()) return;
  if (output_.empty()) set_deadline(lane_->shared().options.send_timeout);
  output_.push(std::move(bytes));
  count_held();
}

void Connection::count_held() {
  lane_->shared().held_bytes.fetch_add(output_.held() - counted_bytes_);  // wraps when it is less
  counted_bytes_ = output_.held();
}

void Connection::flush() {
  if (writing_) return;
  while (!output_.empty()) {
    std::array<boost::asio::const_buffer, k_buffers_per_write> buffers;
    const std::size_t count = output_.next(buffers);
    if (count == 0) return abort();  // the file cannot be read: a cut answer shows, a wrong one not
    error_code error;
    const std::size_t sent = socket_.write_some(
        std::span<const boost::asio::const_buffer>(buffers.data(), count), error);
    if (error == boost::asio::error::would_block) return await_room();
    if (error) return close();
    set_deadline(lane_->shared().options.send_timeout);
    output_.sent(sent);
  }
  count_held();
  if (phase_ == Phase::streaming)
    deadline_ = std::chrono::steady_clock::time_point::max();
  else if (phase_ == Phase::sending)
    on_sent();
}

void Connection::await_room() {
  count_held();
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
    self->writing_ = false;
    if (self->phase_ == Phase::closed) return;
    if (error) return self->close();
    self->flush();
  });
}

void Connection::on_sent() {
  output_.clear();
  if (close_after_) return linger();
  next_request();
}

void Connection::next_request() {
  if (!input_.empty()) return begin_reading();
  if (client_finished_ || lane_->draining()) return linger();
  phase_ = Phase::idle;
  set_deadline(lane_->shared().options.idle_timeout);
  watch();
}

void Connection::linger() {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error || client_finished_) return close();
  phase_ = Phase::lingering;
  set_deadline(k_linger_time);
  watch();
}

}  // namespace holdfast::production::http
