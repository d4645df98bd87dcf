// The server's promise to answer one request, held by whoever answers it. Copyable; every function
// may be called from any thread, also long after the client or the server is gone, and never
// blocks. When the last copy goes without an answer, the client gets a 500 (or, in the middle of a
// streamed response, a cut connection): an engine process that dies takes no client with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/protocol/http.hpp"

namespace holdfast::production::http {

class Exchange;

class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  /// The whole response. Only the first respond() or start() of an exchange has an effect.
  void respond(protocol::Response response) const;

  /// A response whose body comes in parts: the head and `head.body`, if any, are sent at once.
  void start(protocol::Response head) const;
  /// Sends a part of the body. A client that leaves more than Options::stream_backlog_bytes unread
  /// is cut off. Nothing happens before start() or after finish().
  void write(std::string part) const;
  void finish() const;
  /// Cuts the connection, so that the client sees an error and no truncated success.
  void abort() const;

  /// `gone` is called once if the client leaves before the response was sent: at once if it has
  /// left already, else on an I/O thread, where it must not block. Replaces an earlier callback.
  void on_disconnect(std::function<void()> gone) const;

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace holdfast::production::http
