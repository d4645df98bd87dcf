#include "core/production/http/response_head.hpp"

#include <boost/beast/http/status.hpp>
#include <ostream>  // Boost 1.81's status.hpp needs it and does not include it

namespace holdfast::production::http {
namespace {

bool is_framing(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection" ||
         name == "date";
}

void append_value(std::string& head, std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    head += (byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c;
  }
}

}  // namespace

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::optional<std::string> bare_refusal(int status) {
  const char* reason = status == 400   ? "Bad Request"
                       : status == 414 ? "Request-URI Too Long"
                       : status == 431 ? "Request Header Fields Too Large"
                                       : nullptr;
  if (reason == nullptr) return std::nullopt;
  return "HTTP/1.0 " + std::to_string(status) + ' ' + reason + "\r\nconnection: close\r\n\r\n";
}

std::string encode_head(const protocol::Response& response, Framing framing, AfterResponse after,
                        std::string_view date) {
  std::string head;
  head.reserve(512);
  head += "HTTP/1.1 ";
  head += std::to_string(response.status);
  head += ' ';
  head += std::string_view(boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(response.status))));
  head += "\r\ndate: ";
  head += date;
  bool says_keep_alive = false;
  for (const auto& [name, value] : response.headers) {
    if (name == "connection" && value == "keep-alive") says_keep_alive = true;
    if (is_framing(name)) continue;
    head += "\r\n";
    append_value(head, name);
    head += ": ";
    append_value(head, value);
  }
  if (may_have_body(response.status)) {
    if (framing == Framing::length)
      head +=
          "\r\ncontent-length: " + std::to_string(response.body.size() + response.omitted_bytes);
    if (framing == Framing::chunked) head += "\r\ntransfer-encoding: chunked";
  }
  if (after == AfterResponse::close)
    head += "\r\nconnection: close";
  else if (says_keep_alive)
    head += "\r\nconnection: keep-alive";
  head += "\r\n\r\n";
  return head;
}

}  // namespace holdfast::production::http
