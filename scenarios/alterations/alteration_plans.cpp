#include "scenarios/alterations/alteration_plans.hpp"

#include <algorithm>

namespace holdfast::scenarios {
namespace {

/// Percent of plans.
constexpr unsigned k_percent = 12;
/// Of these plans: those in which somebody else keeps the publication.
constexpr unsigned k_manual_percent = 25;
/// Of alterations: those of what an engine needs of a table.
constexpr unsigned k_service_percent = 35;
/// Of these plans: those with one more alteration, of what a column may hold.
constexpr unsigned k_nullability_percent = 40;
constexpr std::uint64_t k_kinds_of_tables =
    static_cast<std::uint64_t>(AlterationKind::lose_identity);

std::string column_for(AlterationKind kind, const Draws& draws) {
  switch (kind) {
    case AlterationKind::add_column:
      return "extra";
    case AlterationKind::drop_column:  // not what cannot be added again: v is NOT NULL
      return draws.one_of<std::string>({"name", "flag", "score", "at"}, "column");
    case AlterationKind::rename_column:
      return draws.one_of<std::string>({"v", "name", "flag", "score", "at"}, "column");
    case AlterationKind::change_type:
      return "v";
    default:
      return {};
  }
}

void alter_nullability(Plan& plan, const Draws& draws) {
  const std::size_t table = draws.below(plan.tables.size(), "table");
  plan.alterations.push_back(
      {.number = static_cast<unsigned>(plan.alterations.size()),
       .kind = AlterationKind::drop_not_null,
       .table = plan.tables[table].name.table,
       .column = "v",
       .at = ms(draws.between(100, 2'500, "at")),
       .undone_after = ms(draws.one_of<std::uint64_t>({0, 300, 2'000, 8'000}, "undone_after"))});
}

}  // namespace

void add_alterations(Plan& plan, const Draws& draws) {
  plan.knobs.schema_reconciler_period =
      ms(draws.one_of<std::uint64_t>({400, 3'000, 60'000}, "period"));
  if (draws.percent(k_manual_percent, "manual")) plan.knobs.manual_publishing = 1;
  const std::uint64_t count = draws.between(1, 3, "count");
  for (std::uint64_t i = 0; i < count; ++i) {
    const Draws draw = draws.of("alteration", i);
    PlannedAlteration alteration;
    alteration.number = static_cast<unsigned>(i);
    alteration.kind = static_cast<AlterationKind>(draw.below(k_kinds_of_tables, "kind"));
    if (draw.percent(k_service_percent, "of_service"))
      alteration.kind = draw.one_of<AlterationKind>(
          {AlterationKind::lose_identity, AlterationKind::unpublish, AlterationKind::revoke},
          "service");
    // Until the engine looks, nobody can judge what a shape has.
    if (alteration.kind == AlterationKind::unpublish)
      plan.knobs.schema_reconciler_period =
          std::min(plan.knobs.schema_reconciler_period, ms(3'000));
    alteration.table = plan.tables[draw.below(plan.tables.size(), "table")].name.table;
    alteration.column = column_for(alteration.kind, draw);
    alteration.at = ms(draw.between(100, 2'500, "at"));
    if (draw.percent(40, "aimed"))
      alteration.moment = draw.one_of<Moment>(
          {Moment::commit, Moment::snapshot, Moment::removal, Moment::takeover, Moment::fragment},
          "moment");
    alteration.pick = draw.any("pick");
    alteration.undone_after =
        us(draw.one_of<std::uint64_t>({0, 5'000, 300'000, 2'000'000, 8'000'000}, "undone_after"));
    plan.alterations.push_back(alteration);
    // Half of them are met by a shape that is just being made.
    if (!draw.percent(50, "birth")) continue;
    for (PlannedClient& client : plan.clients)
      if (plan.specs[client.spec].table == alteration.table)
        client.starts_at = alteration.at + us(draw.below(40'000, "birth_delay", client.number));
  }
  if (draws.percent(k_nullability_percent, "nullability"))
    alter_nullability(plan, draws.of("nullable"));
}

void plan_alterations(Plan& plan, const Draws& draws) {
  now_and_then(plan, draws, "alterations", k_percent, add_alterations);
}

}  // namespace holdfast::scenarios
