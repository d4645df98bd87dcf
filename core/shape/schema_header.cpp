// The electric-schema header: one JSON object, column name → properties (http-api.md §10).
#include <array>
#include <string>
#include <utility>

#include "core/protocol/json_text.hpp"
#include "core/shape/definition.hpp"

namespace holdfast::shape {
namespace {

void append_property(std::string& out, std::string_view name, std::int64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  out += std::to_string(value);
}

/// "fields" and "precision" of an interval: a mask of units in the high half, digits in the low
/// one.
void append_interval(std::string& out, std::int32_t modifier) {
  constexpr std::uint32_t k_all_fields = 0x7fff;
  constexpr std::uint32_t k_full_precision = 0xffff;
  constexpr std::array<std::pair<unsigned, std::string_view>, 6> k_units = {
      {{2, "YEAR"}, {1, "MONTH"}, {3, "DAY"}, {10, "HOUR"}, {11, "MINUTE"}, {12, "SECOND"}}};
  const auto bits = static_cast<std::uint32_t>(modifier);
  const std::uint32_t mask = bits >> 16;
  const std::uint32_t precision = bits & 0xffffU;
  if (mask != k_all_fields) {
    std::string_view first;
    std::string_view last;
    for (const auto& [bit, name] : k_units) {
      if ((mask >> bit & 1U) == 0) continue;
      if (first.empty()) first = name;
      last = name;
    }
    if (!first.empty()) {
      out += ",\"fields\":\"";
      out += first;
      if (first != last) out.append(" TO ").append(last);
      out += '"';
    }
  }
  if (precision != k_full_precision) append_property(out, "precision", precision);
}

void append_modifier(std::string& out, const std::string& type, std::int32_t modifier) {
  constexpr std::int32_t k_header = 4;  // a typmod counts the bytes of a varlena header
  if (type == "bit" || type == "varbit") return append_property(out, "length", modifier);
  if (modifier < 0) return;
  if (modifier > 0) {
    if (type == "varchar" || type == "text")
      return append_property(out, "max_length", modifier - k_header);
    if (type == "bpchar") return append_property(out, "length", modifier - k_header);
    for (const std::string_view time : {"time", "timetz", "timestamp", "timestamptz", "date"})
      if (type == time) return append_property(out, "precision", modifier);
  }
  if (type == "numeric") {
    const auto bits = static_cast<std::uint32_t>(modifier - k_header);
    append_property(out, "precision", bits >> 16 & 0xffffU);
    append_property(out, "scale", bits & 0xffffU);
    return;
  }
  if (type == "interval") return append_interval(out, modifier);
  append_property(out, "type_mod", modifier);
}

}  // namespace

std::string Definition::schema_header() const {
  std::string out = "{";
  for (const std::uint16_t index : selected_) {
    const postgres::ColumnInfo& column = relation_.columns[index];
    if (out.size() > 1) out += ',';
    out += '"';
    protocol::append_json_ascii(out, column.name);
    out += "\":{\"type\":\"";
    protocol::append_json_ascii(out, column.type_name);
    out += '"';
    if (column.dimensions > 0) append_property(out, "dims", column.dimensions);
    if (column.key_position > 0) append_property(out, "pk_index", column.key_position - 1);
    if (column.not_null) out += ",\"not_null\":true";
    append_modifier(out, column.type_name, column.type_modifier);
    out += '}';
  }
  return out + '}';
}

}  // namespace holdfast::shape
