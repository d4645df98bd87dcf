// The HTTP/1.1 server: sockets in, protocol::Request out to a handler, protocol::Response back.
// Owns its I/O threads. A request that waits for its answer costs a socket and under 1 KiB, no
// thread. Knows nothing of shapes; never reads the body of a response except to send it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/production/http/limits.hpp"
#include "core/production/http/responder.hpp"

namespace holdfast::production::http {

/// Called on an I/O thread for each request of any path; must not block and must not throw. Answers
/// through the Responder, now or later. A connection has one unanswered request at a time. HEAD
/// arrives as such; the server leaves out the body.
using Handler = std::function<void(protocol::Request, Responder)>;

struct Options {
  std::string address = "0.0.0.0";  ///< an IPv4 or IPv6 literal; "::" listens on both
  std::uint16_t port = 3000;        ///< 0: any free port, see HttpServer::port()
  unsigned threads = 1;
  RequestLimits limits;
  std::size_t max_connections = 100'000;                ///< more are told 503 and closed
  unsigned max_requests_per_connection = 0;             ///< the last one is announced; 0: no limit
  std::chrono::milliseconds idle_timeout{60'000};       ///< between two requests
  std::chrono::milliseconds head_timeout{15'000};       ///< for a request's head, once begun
  std::chrono::milliseconds body_timeout{15'000};       ///< for the rest of its body: 408
  std::chrono::milliseconds send_timeout{30'000};       ///< without one byte taken by the client
  std::size_t stream_backlog_bytes = 16 * 1024 * 1024;  ///< of a streamed response
  /// Where answers wait that a client has not taken after `spill_after`; empty: in memory.
  std::string spill_directory;
  std::chrono::milliseconds spill_after{2'000};
  /// Told about what happens outside any request, one line each; on an I/O thread.
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

struct Statistics {
  std::size_t connections = 0;
  std::size_t unanswered_requests = 0;
  std::uint64_t requests = 0;
  std::size_t held_bytes = 0;  ///< of answers that clients have still to take, in memory
};

class HttpServer {
 public:
  /// Listens and starts the threads. Fails with a sentence that names the address and port.
  static Result<std::unique_ptr<HttpServer>> start(Options options, Handler handler);
  /// stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;
  Statistics statistics() const;

  /// Begins the drain: accepts no more, closes idle connections; a request that has begun to arrive
  /// or waits for its answer is answered with "connection: close".
  void drain();
  /// True: no connection is left. Blocks the caller at most `limit`.
  bool wait_until_drained(std::chrono::milliseconds limit);
  /// Closes every connection, tells every on_disconnect, joins the threads. May be called twice.
  void stop();

 private:
  struct Core;
  explicit HttpServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace holdfast::production::http
