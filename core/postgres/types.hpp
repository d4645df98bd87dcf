// Well-known type oids: the ones of pg_type.dat that a where clause can compute with, plus those it
// can only carry (where-clauses.md §7.1). They are fixed by Postgres for all versions. Enums and
// other user-defined types have oids of their own and are not listed. Values only; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "core/postgres/catalog.hpp"

namespace holdfast::postgres {

inline constexpr Oid k_bool{16};
inline constexpr Oid k_bytea{17};
inline constexpr Oid k_char{18};  ///< the one-byte internal type, printed "char" with quotes
inline constexpr Oid k_name{19};
inline constexpr Oid k_int8{20};
inline constexpr Oid k_int2{21};
inline constexpr Oid k_int4{23};
inline constexpr Oid k_text{25};
inline constexpr Oid k_oid{26};
inline constexpr Oid k_json{114};
inline constexpr Oid k_xml{142};
inline constexpr Oid k_float4{700};
inline constexpr Oid k_float8{701};
inline constexpr Oid k_money{790};
inline constexpr Oid k_bpchar{1042};
inline constexpr Oid k_varchar{1043};
inline constexpr Oid k_date{1082};
inline constexpr Oid k_time{1083};
inline constexpr Oid k_timestamp{1114};
inline constexpr Oid k_timestamptz{1184};
inline constexpr Oid k_interval{1186};
inline constexpr Oid k_timetz{1266};
inline constexpr Oid k_bit{1560};
inline constexpr Oid k_varbit{1562};
inline constexpr Oid k_numeric{1700};
inline constexpr Oid k_uuid{2950};
inline constexpr Oid k_jsonb{3802};

inline constexpr Oid k_bool_array{1000};
inline constexpr Oid k_int4_array{1007};
inline constexpr Oid k_int8_array{1016};
inline constexpr Oid k_text_array{1009};

/// pg_type.typname of a scalar ("int4") or array ("_int4") type in this list; empty for any other.
std::string_view type_name(Oid type);
/// The reverse of type_name.
std::optional<Oid> type_oid(std::string_view name);
/// The type of an array's elements; nullopt if `array` is no array type of this list.
std::optional<Oid> element_type(Oid array);
/// The array type over `element`; nullopt if `element` is no scalar type of this list.
std::optional<Oid> array_type(Oid element);

}  // namespace holdfast::postgres
