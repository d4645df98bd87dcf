// The head of a response as bytes. Knows no sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/protocol/http.hpp"

namespace holdfast::production::http {

/// How the client learns where the body ends.
enum class Framing {
  length,       ///< content-length
  chunked,      ///< transfer-encoding: chunked
  until_close,  ///< the end of the connection: HTTP/1.0 clients of a streamed response
};

enum class AfterResponse { keep_open, close };

/// Status line, headers and the empty line. Framing headers are the server's: those the response
/// carries itself are left out, as is everything a control character in a value would add.
/// `date` is the value of the date header.
std::string encode_head(const protocol::Response& response, Framing framing, AfterResponse after,
                        std::string_view date);

/// All that a client is told whose request could not be read (http-api.md §2.5). nullopt: with this
/// status it is told more.
std::optional<std::string> bare_refusal(int status);

/// 204 and 304 never have a body, nor the headers that describe one.
bool may_have_body(int status);

}  // namespace holdfast::production::http
