#include "scenarios/alterations/alterations.hpp"

#include <array>

namespace holdfast::scenarios {
namespace {

constexpr std::array<std::string_view, k_alteration_kinds> k_names = {
    "recreate_table", "replace_table", "rename_table", "add_column",
    "drop_column",    "rename_column", "change_type",  "lose_identity",
    "unpublish",      "revoke",        "drop_not_null"};

}  // namespace

bool is_of_column(AlterationKind kind) {
  return kind >= AlterationKind::add_column && !is_of_service(kind);
}

bool is_of_service(AlterationKind kind) {
  return kind >= AlterationKind::lose_identity && kind <= AlterationKind::revoke;
}

bool undoing_ends_shapes(AlterationKind kind) {
  return kind != AlterationKind::drop_not_null;
}

std::string other_name(const PlannedAlteration& alteration) {
  return (is_of_column(alteration.kind) ? alteration.column : alteration.table) + "_aside" +
         std::to_string(alteration.number);
}

std::string_view name_of(AlterationKind kind) {
  return k_names[static_cast<std::size_t>(kind)];
}

std::span<const std::string_view> names_of(AlterationKind) {
  return k_names;
}

}  // namespace holdfast::scenarios
