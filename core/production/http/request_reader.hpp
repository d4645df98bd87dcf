// Turns the bytes of one HTTP/1.1 request into a protocol::Request, or into the status that refuses
// it. Knows no sockets: fed with whatever arrived, in any split. One reader reads one request and
// is confined to its connection's thread. Framing itself (chunked bodies, header syntax) is
// Beast's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/production/http/limits.hpp"
#include "core/protocol/http.hpp"

namespace holdfast::production::http {

/// Why a request cannot be taken. The connection closes after the answer, since what follows in the
/// stream cannot be told apart from the rest of the refused request.
struct Refusal {
  int status = 400;
  std::string message;
};

class RequestReader {
 public:
  enum class State { need_more, complete, refused };

  explicit RequestReader(const RequestLimits& limits);
  ~RequestReader();

  /// Takes bytes from the front of `input` and says in `used` how many; the rest is to be offered
  /// again, with more behind it. After `complete` the rest belongs to the next request.
  State consume(std::string_view input, std::size_t& used);

  /// The client waits for "100 Continue" before it sends the body; true once.
  bool take_expectation();
  /// The head was read, the body is awaited.
  bool in_body() const;

  /// REQUIRES: state complete. May be asked once.
  protocol::Request take_request();
  /// REQUIRES: state complete. What the client wants after the response; HTTP/1.0 clients always
  /// get a closed connection.
  bool keep_alive() const;
  /// REQUIRES: state complete. False: an HTTP/1.0 client, which knows no chunked responses.
  bool understands_chunks() const;
  /// REQUIRES: state refused.
  const Refusal& refusal() const;

 private:
  struct Parser;
  State refuse(int status, std::string message);
  State read_head(std::string_view input, std::size_t& used);
  State read_body(std::string_view input, std::size_t& used);
  State check_head();

  const RequestLimits& limits_;
  std::unique_ptr<Parser> parser_;
  protocol::Request request_;
  Refusal refusal_;
  std::size_t scanned_ = 0;  ///< bytes at the front of the input known to hold no end of the head
  bool head_done_ = false;
};

}  // namespace holdfast::production::http
