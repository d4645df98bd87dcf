// Text as the inside of a JSON string, escaped exactly as Postgres' to_json does it, so that what
// is built here equals what a database would print. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::protocol {

/// Appends without the surrounding quotes. Escapes '"', '\' and control characters; '/' and
/// everything beyond ASCII stay as they are.
void append_json_text(std::string& out, std::string_view text);

/// The same, with every '/' doubled: a value inside a row key (http-api.md §12.2).
void append_json_key_text(std::string& out, std::string_view text);

/// The same as append_json_text, with everything beyond ASCII as \uXXXX: for HTTP headers. Bytes
/// that are no UTF-8 become U+FFFD.
void append_json_ascii(std::string& out, std::string_view text);

}  // namespace holdfast::protocol
