// Postgres' numeric as the model needs it: exact decimals kept as the text that Postgres prints.
// Pure functions, used by values.cpp and the condition interpreter; never by the engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::sim::postgres {

/// The text numeric_out prints for what numeric_in reads ("1.50" -> "1.50", "1e3" -> "1000",
/// ".5" -> "0.5", "nan" -> "NaN"); nullopt if it is no number.
std::optional<std::string> canonical_decimal(std::string_view text);

/// -1, 0 or 1 of two canonical texts: by value ("1.0" equals "1"); NaN equals itself and is greater
/// than everything else.
int compare_decimals(std::string_view a, std::string_view b);

/// Exact sums and products of canonical texts, with Postgres' result scales.
std::string add_decimals(std::string_view a, std::string_view b);
std::string multiply_decimals(std::string_view a, std::string_view b);
std::string negate_decimal(std::string_view a);

}  // namespace holdfast::sim::postgres
