// Writing JSON text by hand: the few fixed forms that answers need, without a document in between.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::api {

/// Appends a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, so that the text
/// is always valid JSON; everything else beyond ASCII stays as it is.
void append_json_string(std::string& out, std::string_view text);

/// True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace holdfast::api
