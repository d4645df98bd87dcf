// What encoding a row of a shape needs, worked out once when the definition is made: column names
// as JSON, in the order in which they are printed, and how each cell's text is brought to one form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/catalog.hpp"

namespace holdfast::shape {

/// How a type's text differs between `col::text` (snapshot queries) and its output function
/// (stream).
enum class TextForm : std::uint8_t {
  same,
  boolean,  ///< true/false against t/f
  padded,   ///< char(n): the cast strips the padding
  address,  ///< inet: the cast adds the mask of a single host
};

struct LayoutCell {
  std::uint16_t column = 0;    ///< in the relation
  std::uint16_t position = 0;  ///< in selected(), which is the order of a snapshot's batch
  bool in_key = false;
  TextForm form = TextForm::same;
  std::size_t padded_characters = 0;
  std::string json_name;  ///< "\"id\":"
};

struct Layout {
  std::vector<LayoutCell> cells;   ///< the selected columns by name, the order of JSON objects
  std::vector<std::uint32_t> key;  ///< indices into cells, in key order
  std::string json_key_prefix;     ///< \"schema\".\"table\" as the inside of a JSON string
  std::string json_relation;       ///< ["schema","table"]
};

Layout make_layout(const postgres::RelationInfo& relation,
                   const std::vector<std::uint16_t>& selected,
                   const std::vector<std::uint16_t>& key);

/// A cell's text as the output function prints it, whichever of the two forms it has. `scratch`
/// holds the bytes if they had to be made.
std::string_view output_form(const LayoutCell& cell, std::string_view text, std::string& scratch);

}  // namespace holdfast::shape
