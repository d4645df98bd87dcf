// Tables that somebody alters while shapes live on them: dropped and made again, renamed, columns
// that come, go, change name or type; taken out of the publication, without full identity, not to
// be read. Each alteration is undone after a while, so that a run ends with the tables of its plan.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "scenarios/world/moment.hpp"

namespace holdfast::scenarios {

enum class AlterationKind : std::uint8_t {
  recreate_table,  ///< dropped; made again, with its rows of the start
  replace_table,   ///< renamed out of the way; another one made under its name
  rename_table,    ///< to another name, and back
  add_column,
  drop_column,    ///< and added again, empty
  rename_column,  ///< to another name, and back
  change_type,    ///< of a column of numbers, to a wider one and back
  lose_identity,  ///< its replica identity is the default one for a while
  unpublish,      ///< taken out of the publication, and put back
  revoke,         ///< nobody may read it for a while
  drop_not_null,  ///< of a column, and set again
};
inline constexpr std::size_t k_alteration_kinds = 11;

struct PlannedAlteration {
  unsigned number = 0;
  AlterationKind kind = AlterationKind::recreate_table;
  std::string table;
  std::string column = {};  ///< empty where the table itself changes
  Duration at{};
  Moment moment = Moment::any_time;  ///< waited for from `at` on
  std::uint64_t pick = 0;            ///< how far into the moment
  Duration undone_after{};
  bool operator==(const PlannedAlteration&) const = default;
};

/// Whether the alteration is one of a column, which it then names.
bool is_of_column(AlterationKind kind);
/// Whether the table is the same to all shapes, but not what an engine needs of it.
bool is_of_service(AlterationKind kind);
/// Whether some shape may end when it is undone.
bool undoing_ends_shapes(AlterationKind kind);
/// The name that a column or a table has meanwhile.
std::string other_name(const PlannedAlteration& alteration);

std::string_view name_of(AlterationKind kind);
std::span<const std::string_view> names_of(AlterationKind);

}  // namespace holdfast::scenarios
