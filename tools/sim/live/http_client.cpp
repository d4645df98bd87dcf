#include "tools/sim/live/http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>

namespace holdfast::tools::live {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::uint64_t k_longest_body = 256ULL << 20;

std::string encoded(std::string_view text) {
  static constexpr char k_digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(k_digits[byte >> 4U]);
      out.push_back(k_digits[byte & 15U]);
    }
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

http::request<http::empty_body> message_of(const protocol::Request& request) {
  http::request<http::empty_body> message(http::string_to_verb(request.method), target_of(request),
                                          11);
  message.set(http::field::host, "localhost");
  for (const auto& [name, value] : request.headers) message.set(name, value);
  return message;
}

protocol::Response response_of(http::response<http::string_body>& message) {
  protocol::Response response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message)
    response.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}),
                                  std::string(field.value()));
  response.body = std::move(message.body());
  return response;
}

}  // namespace

struct HttpClient::Connection {
  explicit Connection(asio::io_context& loop) : stream(loop) {}
  std::uint16_t port = 0;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
};

HttpClient::HttpClient(asio::io_context& loop) : loop_(loop) {}
HttpClient::~HttpClient() = default;

HttpClient::Answer HttpClient::fetch(std::uint16_t port, const protocol::Request& request,
                                     Duration deadline, asio::yield_context yield) {
  boost::system::error_code error;
  const auto broken = [&] {
    connection_.reset();
    return Answer{.response = std::nullopt, .overdue = error == beast::error::timeout};
  };
  if (!connection_ || connection_->port != port) {
    connection_ = std::make_unique<Connection>(loop_);
    connection_->port = port;
    connection_->stream.expires_after(deadline);
    connection_->stream.async_connect({asio::ip::address_v4::loopback(), port}, yield[error]);
    if (error) return broken();
  }
  Connection& connection = *connection_;
  connection.stream.expires_after(deadline);
  http::async_write(connection.stream, message_of(request), yield[error]);
  if (error) return broken();
  http::response_parser<http::string_body> parser;
  parser.body_limit(k_longest_body);
  http::async_read(connection.stream, connection.buffer, parser, yield[error]);
  if (error) return broken();
  http::response<http::string_body> message = parser.release();
  if (!message.keep_alive()) connection_.reset();
  return {.response = response_of(message), .overdue = false};
}

std::string target_of(const protocol::Request& request) {
  std::string target = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target += separator + encoded(name) + "=" + encoded(value);
    separator = '&';
  }
  return target;
}

}  // namespace holdfast::tools::live
