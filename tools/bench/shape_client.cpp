#include "tools/bench/shape_client.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace holdfast::bench {
namespace {

constexpr std::string_view k_scheme = "http://";
constexpr std::string_view k_head_end = "\r\n\r\n";

Failure<Error> system_failure(const std::string& what) {
  return fail(what + ": " + std::strerror(errno));
}

int connect_to(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, address.ai_socktype, address.ai_protocol);
  if (fd < 0) return -1;
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    ::close(fd);
    return -1;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// The value of the header, if `line` is one of that (lower-case) name.
bool header_value(std::string_view line, std::string_view name, std::string& value) {
  if (line.size() <= name.size() || line.substr(0, name.size()) != name || line[name.size()] != ':')
    return false;
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  value = std::string(line);
  return true;
}

}  // namespace

Result<ShapeClient> ShapeClient::connect(const std::string& server_url, std::string query) {
  const std::string_view url = server_url;
  const std::size_t colon = url.rfind(':');
  if (!url.starts_with(k_scheme) || colon < k_scheme.size())
    return fail("--server takes http://HOST:PORT, not " + server_url);
  const std::string host(url.substr(k_scheme.size(), colon - k_scheme.size()));
  const std::string port(url.substr(colon + 1));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    return fail("cannot resolve " + server_url + ": " + ::gai_strerror(error));
  int fd = -1;
  for (const addrinfo* each = found; each != nullptr && fd < 0; each = each->ai_next)
    fd = connect_to(*each);
  ::freeaddrinfo(found);
  if (fd < 0) return system_failure("cannot connect to " + server_url);
  return ShapeClient(fd, host, std::move(query));
}

ShapeClient::ShapeClient(ShapeClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      host_(std::move(other.host_)),
      query_(std::move(other.query_)),
      handle_(std::move(other.handle_)),
      offset_(std::move(other.offset_)),
      up_to_date_(other.up_to_date_),
      buffer_(std::move(other.buffer_)) {}

ShapeClient::~ShapeClient() {
  if (socket_ >= 0) ::close(socket_);
}

Result<void> ShapeClient::send() {
  std::string request = "GET /v1/shape?" + query_ + "&offset=" + offset_;
  if (!handle_.empty()) request += "&handle=" + handle_;
  if (up_to_date_) request += "&live=true";
  request += " HTTP/1.1\r\nhost: " + host_ + "\r\n\r\n";
  for (std::string_view left = request; !left.empty();) {
    const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0) return system_failure("cannot send");
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> ShapeClient::read_head(std::string_view head, Answer& answer) const {
  if (!head.starts_with("HTTP/1.1 ")) return fail("the server does not speak HTTP/1.1");
  answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
  bool has_length = false;
  std::string value;
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    if (header_value(line, "electric-handle", value)) answer.handle = value;
    if (header_value(line, "electric-offset", value)) answer.offset = value;
    if (header_value(line, "electric-up-to-date", value)) answer.up_to_date = true;
    if (header_value(line, "content-length", value)) {
      answer.body_bytes = std::strtoull(value.c_str(), nullptr, 10);
      has_length = true;
    }
    if (end == std::string_view::npos) break;
    head.remove_prefix(end + 2);
  }
  if (!has_length) return fail("an answer without content-length");
  return {};
}

Result<bool> ShapeClient::receive(Answer& answer) {
  constexpr std::size_t k_most = 1 << 20;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + k_most);
  const ssize_t got = ::recv(socket_, buffer_.data() + before, k_most, 0);
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) return system_failure("cannot receive");
  if (got == 0) return fail("the server closed the connection");
  const std::size_t head_end = buffer_.find(k_head_end);
  if (head_end == std::string::npos) return false;
  answer = {};
  const auto read = read_head(std::string_view(buffer_).substr(0, head_end), answer);
  if (!read.ok()) return read.failure();
  const std::size_t whole = head_end + k_head_end.size() + answer.body_bytes;
  if (buffer_.size() < whole) return false;
  if (answer.status != 200)
    return fail("status " + std::to_string(answer.status) + ": " +
                buffer_.substr(head_end + k_head_end.size(), 500));
  if (buffer_.size() > whole) return fail("more than one answer to one request");
  buffer_.clear();
  handle_ = answer.handle;
  offset_ = answer.offset;
  up_to_date_ = answer.up_to_date;
  return true;
}

Result<Answer> ShapeClient::ask() {
  if (const auto sent = send(); !sent.ok()) return sent.failure();
  Answer answer;
  for (;;) {
    const auto whole = receive(answer);
    if (!whole.ok()) return whole.failure();
    if (*whole) return answer;
  }
}

}  // namespace holdfast::bench
