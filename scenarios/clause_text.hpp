// When two texts are one where clause, so that their shapes are one shape: http-api.md §7.
#pragma once

#include <string>

namespace holdfast::scenarios {

/// White space, needless parentheses, the case of keywords and the spelling of <> do not matter. As
/// Postgres' own parser and printer see it, nothing of the engine.
bool same_clause(const std::string& a, const std::string& b);

}  // namespace holdfast::scenarios
