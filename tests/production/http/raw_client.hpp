// A client that sends exactly the bytes a test gives it and reads exactly what comes back: real
// HTTP clients are too polite to show what a server does with the rest. Every wait ends within
// 10 s.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace holdfast::production::http {

inline constexpr int k_test_limit_ms = 10'000;

struct RawResponse {
  int status = 0;
  std::string head;  ///< status line and headers, as sent
  std::string body;
  bool has(std::string_view header_line) const {
    return head.find("\r\n" + std::string(header_line) + "\r\n") != std::string::npos;
  }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int family = AF_INET) {
    socket_ = ::socket(family, SOCK_STREAM, 0);
    if (family == AF_INET6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      address.sin6_addr = in6addr_loopback;
      connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      return;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  /// Closes with a reset instead of a FIN.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void receive_buffer(int bytes) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }

  /// False: the server closed before everything was taken.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool get(const std::string& target) {
    return send("GET " + target + " HTTP/1.1\r\nhost: test\r\n\r\n");
  }

  /// One response with a content-length, with chunks, or up to the end of the connection.
  RawResponse read_response(bool head_only = false) {
    RawResponse response;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return response;
    response.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    response.status = std::atoi(response.head.c_str() + std::strlen("HTTP/1.1 "));
    if (head_only || response.status == 204 || response.status == 304) return response;
    const std::size_t length = response.head.find("\r\ncontent-length: ");
    if (length != std::string::npos) {
      const std::size_t size = std::strtoull(response.head.c_str() + length + 18, nullptr, 10);
      while (buffer_.size() < size)
        if (!receive()) break;
      response.body = buffer_.substr(0, size);
      buffer_.erase(0, size);
    } else if (response.head.find("chunked") != std::string::npos) {
      while (true) {
        const auto part = read_chunk();
        if (part.empty()) break;
        response.body += part;
      }
    } else {
      while (receive()) {
      }
      response.body.swap(buffer_);
    }
    return response;
  }

  /// The next chunk of a chunked body; empty at its end, and then complete() says whether properly.
  std::string read_chunk() {
    std::size_t line;
    while ((line = buffer_.find("\r\n")) == std::string::npos)
      if (!receive()) return {};
    const std::size_t size = std::strtoull(buffer_.c_str(), nullptr, 16);
    while (buffer_.size() < line + 2 + size + 2)
      if (!receive()) return {};
    std::string part = buffer_.substr(line + 2, size);
    buffer_.erase(0, line + 2 + size + 2);
    if (size == 0) complete_ = true;
    return part;
  }
  bool complete() const { return complete_; }

  /// True: the server has closed and sent nothing more.
  bool closed_by_server() {
    while (buffer_.empty() && receive()) {
    }
    return ended_ && buffer_.empty();
  }
  bool was_reset() const { return reset_; }
  /// True: nothing arrives within `ms`.
  bool silent_for(int ms) {
    pollfd wait{socket_, POLLIN, 0};
    return buffer_.empty() && ::poll(&wait, 1, ms) == 0;
  }

 private:
  bool receive() {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, k_test_limit_ms) != 1) {
      ADD_FAILURE() << "the server neither answered nor closed in time";
      return false;
    }
    char bytes[65536];
    const ssize_t n = ::recv(socket_, bytes, sizeof bytes, 0);
    if (n <= 0) {
      ended_ = true;
      reset_ = n < 0;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  int socket_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  bool reset_ = false;
  bool complete_ = false;
  std::string buffer_;
};

}  // namespace holdfast::production::http
