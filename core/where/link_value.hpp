// The value of a subquery's link columns, and of a left side: packed texts that are equal exactly
// if the values are equal in SQL, whatever way they were printed (F-61). NULL is a value like any
// other here (F-75). Values only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/where/byte_stream.hpp"
#include "core/where/scalar.hpp"

namespace holdfast::where {

/// Appends one column's cell. False: the text is not what the loader's type prints. The packed text
/// is also a literal that the type's input function reads.
bool append_link_cell(std::string& packed, Loader loader,
                      const std::optional<std::string_view>& cell);

using LinkColumns = std::vector<std::optional<std::string_view>>;

/// The columns of a packed value; views into it. REQUIRES: it was packed by append_link_cell.
LinkColumns unpack_link_value(std::string_view packed);

/// Whether SQL cannot tell the value from these columns, or it is equal: none differs where neither
/// is NULL. No allocation. REQUIRES: both have as many columns.
bool comparable_as_equal(std::string_view packed, const LinkColumns& columns);

/// The reverse, from texts that were unpacked.
void append_packed(std::string& packed, const std::optional<std::string_view>& text);

/// Whether one of its columns is NULL.
bool has_null(std::string_view packed);

}  // namespace holdfast::where
