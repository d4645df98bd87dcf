#include "core/production/http/server.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/production/http/connection.hpp"
#include "core/production/http/lane.hpp"

namespace holdfast::production::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Acceptor = boost::asio::basic_socket_acceptor<tcp, boost::asio::io_context::executor_type>;

/// What to do when the process has no descriptor left: existing connections end and free some.
constexpr std::chrono::milliseconds k_accept_pause{100};
constexpr std::string_view k_too_many =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    "retry-after: 5\r\ncontent-length: 21\r\nconnection: close\r\n\r\nToo many connections\n";

Result<tcp::endpoint> endpoint_of(const Options& options) {
  error_code error;
  const auto address = boost::asio::ip::make_address(options.address, error);
  if (error) return fail("\"" + options.address + "\" is not an IPv4 or IPv6 address");
  return tcp::endpoint(address, options.port);
}

}  // namespace

struct HttpServer::Core {
  explicit Core(std::shared_ptr<Shared> all) : shared(std::move(all)) {
    const unsigned count = std::max(1u, shared->options.threads);
    for (unsigned i = 0; i < count; ++i) lanes.push_back(std::make_shared<Lane>(shared));
    acceptor.emplace(lanes[0]->loop());
    pause.emplace(lanes[0]->loop());
  }

  Result<void> listen() {
    const auto endpoint = endpoint_of(shared->options);
    if (!endpoint.ok()) return endpoint.failure();
    error_code error;
    acceptor->open(endpoint->protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint->address().is_v6())
      acceptor->set_option(boost::asio::ip::v6_only(false), error);
    if (!error) acceptor->bind(*endpoint, error);
    if (!error) acceptor->listen(4096, error);
    if (error)
      return fail("cannot listen on " + shared->options.address + " port " +
                  std::to_string(shared->options.port) + ": " + error.message());
    port = acceptor->local_endpoint().port();
    return {};
  }

  void accept_next() {
    const auto lane = lanes[next_lane++ % lanes.size()];
    acceptor->async_accept(lane->loop(), [this, lane](error_code error, Socket socket) {
      if (error == boost::asio::error::operation_aborted || !acceptor->is_open()) return;
      if (error) return pause_accepting(error);
      admit(lane, std::move(socket));
      accept_next();
    });
  }

  void admit(const std::shared_ptr<Lane>& lane, Socket socket) {
    if (shared->connections.load() >= shared->options.max_connections) {
      error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(boost::asio::buffer(k_too_many), ignored);
      return;
    }
    auto connection = std::make_shared<Connection>(lane, std::move(socket));
    lane->run_soon([lane, connection] { lane->adopt(connection); });
  }

  void pause_accepting(error_code error) {
    shared->options.log("cannot accept a connection: " + error.message());
    pause->expires_after(k_accept_pause);
    pause->async_wait([this](error_code waited) {
      if (!waited && acceptor->is_open()) accept_next();
    });
  }

  void stop_accepting() {
    lanes[0]->run_soon([this] {
      error_code ignored;
      acceptor->close(ignored);
      pause->cancel();
    });
  }

  std::shared_ptr<Shared> shared;
  std::vector<std::shared_ptr<Lane>> lanes;
  std::optional<Acceptor> acceptor;
  std::optional<boost::asio::steady_timer> pause;
  std::size_t next_lane = 0;
  std::uint16_t port = 0;
};

HttpServer::HttpServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(Options options, Handler handler) {
  auto shared = std::make_shared<Shared>();
  shared->options = std::move(options);
  shared->handler = std::move(handler);
  auto core = std::make_unique<Core>(std::move(shared));
  const auto listening = core->listen();
  if (!listening.ok()) return listening.failure();
  for (const auto& lane : core->lanes) lane->start();
  core->lanes[0]->run_soon([raw = core.get()] { raw->accept_next(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

std::uint16_t HttpServer::port() const {
  return core_->port;
}

Statistics HttpServer::statistics() const {
  const Shared& shared = *core_->shared;
  return {shared.connections.load(), shared.unanswered.load(), shared.requests.load(),
          shared.held_bytes.load()};
}

void HttpServer::drain() {
  core_->stop_accepting();
  for (const auto& lane : core_->lanes) lane->run_soon([lane] { lane->drain(); });
}

bool HttpServer::wait_until_drained(std::chrono::milliseconds limit) {
  Shared& shared = *core_->shared;
  std::unique_lock lock(shared.drained_mutex);
  return shared.drained.wait_for(lock, limit, [&] { return shared.connections.load() == 0; });
}

void HttpServer::stop() {
  core_->stop_accepting();
  for (const auto& lane : core_->lanes) lane->stop();
}

}  // namespace holdfast::production::http
