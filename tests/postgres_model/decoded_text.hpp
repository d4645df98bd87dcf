// What core's decoder makes of a stream, as lines of text without positions, oids and xids: for
// comparing the model's stream with a real server's as the engine would see them.
#pragma once

#include <string>
#include <vector>

namespace holdfast::test {

/// "relation …", "insert public.t -> ('1')", …, "commit"; the decoder's error is the last line.
std::vector<std::string> decode(const std::vector<std::string>& copy_data);

}  // namespace holdfast::test
