#include "core/production/http/request_reader.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "core/base/assert.hpp"

namespace holdfast::production::http {
namespace {

namespace beast_http = boost::beast::http;

/// More unparsed bytes than this inside a body cannot be a chunk header: its extensions are abuse.
constexpr std::size_t k_chunk_header_bytes = 16 * 1024;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Well-formed UTF-8 in the sense of RFC 3629: no overlong forms, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return false;
    unsigned char low = 0x80, high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (byte(i + 1) < low || byte(i + 1) > high) return false;
    for (std::size_t k = 2; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    i += length;
  }
  return true;
}

/// "http://host/path?query" (RFC 9112 3.2.2) becomes "/path?query"; other forms stay as they are.
std::string_view origin_form(std::string_view target) {
  const std::size_t scheme_end = target.find("://");
  if (target.starts_with('/') || scheme_end == std::string_view::npos) return target;
  const std::string scheme = lower(target.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return target;
  const std::string_view rest = target.substr(scheme_end + 3);
  const std::size_t path = rest.find_first_of("/?");
  if (path == std::string_view::npos) return "/";
  return rest.substr(path);
}

/// Does the request line end in a version of HTTP that we do not speak?
bool names_other_http(std::string_view request_line) {
  const std::size_t space = request_line.rfind(' ');
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (space == std::string_view::npos) return false;
  const std::string_view version = request_line.substr(space + 1);
  if (version == "HTTP/1.0" || version == "HTTP/1.1") return false;  // something else is wrong
  return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
         version[6] == '.' && digit(version[7]);
}

}  // namespace

struct RequestReader::Parser {
  beast_http::request_parser<beast_http::string_body> beast;
  bool expectation_told = false;
};

RequestReader::RequestReader(const RequestLimits& limits)
    : limits_(limits), parser_(std::make_unique<Parser>()) {
  parser_->beast.eager(true);
  parser_->beast.body_limit(limits.body_bytes);
  parser_->beast.header_limit(static_cast<std::uint32_t>(limits.head_bytes));
}

RequestReader::~RequestReader() = default;

RequestReader::State RequestReader::refuse(int status, std::string message) {
  refusal_ = {status, std::move(message)};
  return State::refused;
}

RequestReader::State RequestReader::consume(std::string_view input, std::size_t& used) {
  used = 0;
  if (!head_done_) {
    const State state = read_head(input, used);
    if (state != State::complete) return state;
  }
  return read_body(input, used);
}

RequestReader::State RequestReader::read_head(std::string_view input, std::size_t& used) {
  // Empty lines before a request are what old clients leave behind (RFC 9112 2.2).
  if (scanned_ == 0) {
    while (input.substr(used).starts_with("\r\n")) used += 2;
    if (input.substr(used) == "\r") return State::need_more;
  }
  const std::string_view head = input.substr(used);
  const std::size_t end = head.find("\r\n\r\n", scanned_ > 3 ? scanned_ - 3 : 0);
  const std::size_t line_end = head.substr(0, limits_.request_line_bytes).find("\r\n");
  if (line_end == std::string_view::npos && head.size() >= limits_.request_line_bytes)
    return refuse(414, "The request line is longer than " +
                           std::to_string(limits_.request_line_bytes) + " bytes");
  const std::size_t head_size = end == std::string_view::npos ? head.size() : end + 4;
  if (head_size > limits_.head_bytes)
    return refuse(431, "The request's headers are longer than " +
                           std::to_string(limits_.head_bytes) + " bytes together");
  if (end == std::string_view::npos) {
    scanned_ = head.size();
    return State::need_more;
  }

  std::size_t lines = 0;
  for (std::size_t at = line_end + 2; at < end + 2; ++lines) {
    const std::size_t next = head.find("\r\n", at) + 2;
    if (next - at > limits_.header_line_bytes)
      return refuse(431, "A header line is longer than " +
                             std::to_string(limits_.header_line_bytes) + " bytes");
    at = next;
  }
  if (lines > limits_.header_count)
    return refuse(431,
                  "The request has more than " + std::to_string(limits_.header_count) + " headers");

  boost::system::error_code error;
  // Exactly the head: with nothing of the body in sight its errors cannot mix with the body's.
  const std::size_t taken =
      parser_->beast.put(boost::asio::const_buffer(head.data(), head_size), error);
  if (error == beast_http::error::body_limit)
    return refuse(413, "The body is longer than " + std::to_string(limits_.body_bytes) + " bytes");
  if (error == beast_http::error::bad_version && names_other_http(head.substr(0, line_end)))
    return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are supported");
  if (error && error != beast_http::error::need_more)
    return refuse(400, "Malformed request: " + error.message());
  if (!parser_->beast.is_header_done()) return refuse(400, "Malformed request");
  used += taken;
  head_done_ = true;
  return check_head();
}

RequestReader::State RequestReader::check_head() {
  const auto& message = parser_->beast.get();
  if (message.version() != 10 && message.version() != 11)
    return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are supported");
  const auto hosts = message.count(beast_http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() == 11))
    return refuse(400, "An HTTP/1.1 request has exactly one host header");

  const std::string_view target = origin_form({message.target().data(), message.target().size()});
  if (!target.starts_with('/') && !target.starts_with('?') && target != "*")
    return refuse(400, "The request target must be a path");
  request_.method = std::string(message.method_string());
  protocol::parse_target(target.starts_with('?') ? "/" + std::string(target) : target, request_);
  for (const auto& [name, value] : request_.query)
    if (!is_utf8(name) || !is_utf8(value)) return refuse(400, "The query string is not UTF-8");
  for (const auto& field : message)
    request_.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}),
                                  std::string(field.value()));
  return State::complete;
}

RequestReader::State RequestReader::read_body(std::string_view input, std::size_t& used) {
  auto& beast = parser_->beast;
  while (!beast.is_done()) {
    const std::string_view rest = input.substr(used);
    if (rest.empty()) return State::need_more;
    boost::system::error_code error;
    const std::size_t taken = beast.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    used += taken;
    if (error == beast_http::error::body_limit)
      return refuse(413,
                    "The body is longer than " + std::to_string(limits_.body_bytes) + " bytes");
    if (error && error != beast_http::error::need_more)
      return refuse(400, "Malformed body: " + error.message());
    if (taken == 0) {
      if (rest.size() > k_chunk_header_bytes)
        return refuse(400, "Malformed body: the header of a chunk is too long");
      return State::need_more;
    }
  }
  request_.body = std::move(beast.get().body());
  return State::complete;
}

bool RequestReader::take_expectation() {
  if (!head_done_ || parser_->beast.is_done() || parser_->expectation_told) return false;
  const auto& message = parser_->beast.get();
  const auto expectation = message[beast_http::field::expect];
  const std::string_view expected(expectation.data(), expectation.size());
  if (message.version() != 11 || lower(expected) != "100-continue") return false;
  parser_->expectation_told = true;
  return true;
}

bool RequestReader::in_body() const {
  return head_done_;
}

protocol::Request RequestReader::take_request() {
  return std::move(request_);
}

bool RequestReader::keep_alive() const {
  return understands_chunks() && parser_->beast.get().keep_alive();
}

bool RequestReader::understands_chunks() const {
  return parser_->beast.get().version() == 11;
}

const Refusal& RequestReader::refusal() const {
  ASSERT(!refusal_.message.empty(), "a refusal is asked for only after one");
  return refusal_;
}

}  // namespace holdfast::production::http
