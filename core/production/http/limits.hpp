// How much of a request the server takes before it refuses (http-api.md §2.5). Values only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::production::http {

struct RequestLimits {
  std::size_t request_line_bytes = 10'000;  ///< with its CRLF; longer: 414
  std::size_t header_line_bytes = 10'000;   ///< with its CRLF; longer: 431
  std::size_t header_count = 50;            ///< more: 431
  std::size_t head_bytes = 64 * 1024;       ///< request line and headers together; longer: 431
  std::uint64_t body_bytes = 8'000'000;     ///< longer, also when chunked: 413
};

}  // namespace holdfast::production::http
