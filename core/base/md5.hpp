// MD5 (RFC 1321), for the tags of rows: the protocol names the algorithm, and nothing relies on it
// against an adversary. A pure function of its bytes.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

/// 32 lower-case hexadecimal digits.
std::string md5_hex(std::string_view bytes);

}  // namespace holdfast
