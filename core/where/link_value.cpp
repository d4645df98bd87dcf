#include "core/where/link_value.hpp"

#include "core/base/assert.hpp"

namespace holdfast::where {
namespace {

constexpr std::uint64_t k_null = 0;  ///< else one more than the text's size

std::optional<std::string_view> next_column(ByteReader& in) {
  const std::uint64_t number = in.number();
  if (number == k_null && !in.failed()) return std::nullopt;
  const std::string_view text = in.bytes(static_cast<std::size_t>(number - 1));
  ASSERT(!in.failed(), "a packed value is whole");
  return text;
}

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

LinkColumns unpack_link_value(std::string_view packed) {
  LinkColumns columns;
  for (ByteReader in(packed); !in.finished();) columns.push_back(next_column(in));
  return columns;
}

bool comparable_as_equal(std::string_view packed, const LinkColumns& columns) {
  ByteReader in(packed);
  for (const auto& column : columns) {
    const auto other = next_column(in);
    if (column && other && *column != *other) return false;
  }
  ASSERT(in.finished(), "values of one dependency have one form");
  return true;
}

bool has_null(std::string_view packed) {
  for (ByteReader in(packed); !in.finished();)
    if (!next_column(in)) return true;
  return false;
}

}  // namespace holdfast::where
