// What a candidate's run gave, as one line between processes.
#pragma once

#include <string>

#include "scenarios/reduction/shrink.hpp"

namespace holdfast::tools {

std::string to_line(const scenarios::Outcome& outcome);
/// REQUIRES: to_line() made it.
scenarios::Outcome outcome_of(const std::string& line);

}  // namespace holdfast::tools
