#include "core/where/link_value.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::where {
namespace {

constexpr std::uint64_t k_null = 0;  ///< else one more than the text's size

}  // namespace

void append_packed(std::string& packed, const std::optional<std::string_view>& text) {
  std::uint64_t number = text ? std::uint64_t{text->size()} + 1 : k_null;
  for (; number >= 0x80; number >>= 7) packed += static_cast<char>(number | 0x80);
  packed += static_cast<char>(number);
  if (text) packed += *text;
}

// What Postgres prints is one text a value already, but for a numeric's scale, a float's sign of
// zero and char(n)'s padding.
bool append_link_cell(std::string& packed, Loader loader,
                      const std::optional<std::string_view>& cell) {
  if (!cell) {
    append_packed(packed, std::nullopt);
    return true;
  }
  Scalar value;
  if (!load(loader, *cell, value)) return false;
  switch (loader) {
    case Loader::boolean:
      append_packed(packed, value.integer == 1 ? "t" : "f");
      return true;
    case Loader::decimal: {
      std::string text;
      append_decimal(text, value.decimal);
      append_packed(packed, text);
      return true;
    }
    case Loader::real8:
    case Loader::real4:
      append_packed(packed, value.real == 0 ? std::string_view("0") : *cell);
      return true;
    case Loader::text_trimmed:
      append_packed(packed, value.text);
      return true;
    case Loader::integer:
    case Loader::text:
    case Loader::uuid:
    case Loader::days:
    case Loader::date_as_timestamp:
    case Loader::timestamp:
    case Loader::timestamptz:
    case Loader::boolean_as_text:
      append_packed(packed, *cell);
      return true;
  }
  return false;
}

std::vector<std::optional<std::string_view>> unpack_link_value(std::string_view packed) {
  std::vector<std::optional<std::string_view>> columns;
  ByteReader in(packed);
  while (!in.finished()) {
    const std::uint64_t number = in.number();
    if (number == k_null)
      columns.emplace_back();
    else
      columns.emplace_back(in.bytes(static_cast<std::size_t>(number - 1)));
    ASSERT(!in.failed(), "a packed value is whole");
  }
  return columns;
}

bool has_null(std::string_view packed) {
  const auto columns = unpack_link_value(packed);
  return std::any_of(columns.begin(), columns.end(), [](const auto& c) { return !c; });
}

}  // namespace holdfast::where
