// One HTTP client over real sockets: a connection that is kept while the same server is asked. The
// wire is Boost.Beast's; requests and answers are the values that the oracle reads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/spawn.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/protocol/http.hpp"

namespace holdfast::tools::live {

class HttpClient {
 public:
  explicit HttpClient(boost::asio::io_context& loop);
  ~HttpClient();

  struct Answer {
    std::optional<protocol::Response>
        response;          ///< nullopt: the connection broke, or none was made
    bool overdue = false;  ///< it broke because the deadline passed
  };
  /// SUSPENDS the coroutine. The server is the one on this port of 127.0.0.1.
  Answer fetch(std::uint16_t port, const protocol::Request& request, Duration deadline,
               boost::asio::yield_context yield);

 private:
  struct Connection;
  boost::asio::io_context& loop_;
  std::unique_ptr<Connection> connection_;  ///< nullptr: none is open
};

/// "/v1/shape?table=t0&offset=-1", encoded.
std::string target_of(const protocol::Request& request);

}  // namespace holdfast::tools::live
