// A client of one shape over one kept-alive connection, as little as a benchmark needs: it sends a
// request, and reads the answer when there is one. Blocking, except where it says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace holdfast::bench {

struct Answer {
  int status = 0;
  std::string handle;
  std::string offset;
  bool up_to_date = false;
  std::size_t body_bytes = 0;
};

class ShapeClient {
 public:
  /// `server_url` is http://HOST:PORT; `query` names the shape, e.g. table=items.
  static Result<ShapeClient> connect(const std::string& server_url, std::string query);
  ShapeClient(ShapeClient&& other) noexcept;
  ShapeClient(const ShapeClient&) = delete;
  ShapeClient& operator=(const ShapeClient&) = delete;
  ShapeClient& operator=(ShapeClient&&) = delete;
  ~ShapeClient();

  int socket() const { return socket_; }
  /// The next request of this client: from its offset on, live if it is up to date.
  Result<void> send();
  /// Reads what has arrived, at least a byte. True: `answer` is whole, and the client has moved on.
  Result<bool> receive(Answer& answer);
  /// Sends and receives until the whole answer is there.
  Result<Answer> ask();

 private:
  ShapeClient(int socket, std::string host, std::string query)
      : socket_(socket), host_(std::move(host)), query_(std::move(query)) {}
  Result<void> read_head(std::string_view head, Answer& answer) const;

  int socket_;
  std::string host_;
  std::string query_;
  std::string handle_;
  std::string offset_ = "-1";
  bool up_to_date_ = false;
  std::string buffer_;
};

}  // namespace holdfast::bench
