// Words for a shell, so that a printed command can be pasted.
#pragma once

#include <string>

namespace holdfast::tools {

/// The word itself where no shell would change it, else in single quotes.
std::string quoted_for_shell(const std::string& word);

}  // namespace holdfast::tools
