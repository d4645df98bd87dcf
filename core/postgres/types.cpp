#include "core/postgres/types.hpp"

#include <array>

namespace holdfast::postgres {
namespace {

struct KnownType {
  Oid scalar;
  Oid array;
  std::string_view array_name;  // the scalar's name is this without the leading underscore
};

// Ascending by the scalar's oid.
constexpr std::array k_types = {
    KnownType{k_bool, k_bool_array, "_bool"},
    KnownType{k_bytea, {1001}, "_bytea"},
    KnownType{k_char, {1002}, "_char"},
    KnownType{k_name, {1003}, "_name"},
    KnownType{k_int8, k_int8_array, "_int8"},
    KnownType{k_int2, {1005}, "_int2"},
    KnownType{k_int4, k_int4_array, "_int4"},
    KnownType{k_text, k_text_array, "_text"},
    KnownType{k_oid, {1028}, "_oid"},
    KnownType{k_json, {199}, "_json"},
    KnownType{k_xml, {143}, "_xml"},
    KnownType{k_float4, {1021}, "_float4"},
    KnownType{k_float8, {1022}, "_float8"},
    KnownType{k_money, {791}, "_money"},
    KnownType{k_bpchar, {1014}, "_bpchar"},
    KnownType{k_varchar, {1015}, "_varchar"},
    KnownType{k_date, {1182}, "_date"},
    KnownType{k_time, {1183}, "_time"},
    KnownType{k_timestamp, {1115}, "_timestamp"},
    KnownType{k_timestamptz, {1185}, "_timestamptz"},
    KnownType{k_interval, {1187}, "_interval"},
    KnownType{k_timetz, {1270}, "_timetz"},
    KnownType{k_bit, {1561}, "_bit"},
    KnownType{k_varbit, {1563}, "_varbit"},
    KnownType{k_numeric, {1231}, "_numeric"},
    KnownType{k_uuid, {2951}, "_uuid"},
    KnownType{k_jsonb, {3807}, "_jsonb"},
};

}  // namespace

std::string_view type_name(Oid type) {
  for (const KnownType& known : k_types) {
    if (known.scalar == type) return known.array_name.substr(1);
    if (known.array == type) return known.array_name;
  }
  return {};
}

std::optional<Oid> type_oid(std::string_view name) {
  for (const KnownType& known : k_types) {
    if (known.array_name == name) return known.array;
    if (known.array_name.substr(1) == name) return known.scalar;
  }
  return std::nullopt;
}

std::optional<Oid> element_type(Oid array) {
  for (const KnownType& known : k_types)
    if (known.array == array) return known.scalar;
  return std::nullopt;
}

std::optional<Oid> array_type(Oid element) {
  for (const KnownType& known : k_types)
    if (known.scalar == element) return known.array;
  return std::nullopt;
}

}  // namespace holdfast::postgres
