// LIKE and ILIKE as Postgres matches them: '%' any sequence, '_' one character (code point), '\'
// takes the next character literally, the whole text must match (where-clauses.md §8.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::where {

enum class LetterCase : std::uint8_t {
  exact,
  ascii_folded,  ///< ILIKE under COLLATE "C": only A–Z fold, in both engines
};

/// nullopt: the pattern ends with its escape character where that matters.
std::optional<bool> like(std::string_view text, std::string_view pattern, LetterCase letter_case);

/// Whether the pattern ends with a backslash that escapes nothing.
bool ends_with_escape(std::string_view pattern);

}  // namespace holdfast::where
