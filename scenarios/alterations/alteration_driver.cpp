#include "scenarios/alterations/alteration_driver.hpp"

#include <algorithm>

#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::RelationName;
using sim::postgres::TableDefinition;

constexpr Duration k_retry = std::chrono::milliseconds(5);
/// What a request is told of a table may be this much older than the last comparison with it.
constexpr Duration k_refusal_lag = std::chrono::seconds(10);

RelationName aside(const PlannedAlteration& alteration) {
  return {"public", other_name(alteration)};
}

/// The columns that the table has no more.
std::vector<std::string> lost_columns(const PlannedAlteration& alteration) {
  switch (alteration.kind) {
    case AlterationKind::drop_column:
    case AlterationKind::rename_column:
      return {alteration.column};
    default:
      return {};
  }
}

/// The columns that are not as they were before, or after.
std::vector<std::string> altered_columns(const PlannedAlteration& alteration) {
  if (!is_of_column(alteration.kind)) return {};
  if (alteration.kind == AlterationKind::rename_column)
    return {alteration.column, other_name(alteration)};
  return {alteration.column};
}

}  // namespace

const TableDefinition& AlterationDriver::table_of(const PlannedAlteration& alteration) const {
  const auto table = std::find_if(plan_.tables.begin(), plan_.tables.end(), [&](const auto& one) {
    return one.name.table == alteration.table;
  });
  ASSERT(table != plan_.tables.end(), "who alters a table, alters one of the plan");
  return *table;
}

void AlterationDriver::after(Duration delay, const char* label, std::function<void()> step) {
  executor_.after(delay, "/world/alterations", label, std::move(step));
}

void AlterationDriver::begin() {
  pending_ = plan_.alterations.size();
  if (plan_.knobs.manual_publishing != 0) {
    postgres_.create_publication(publication_);
    for (const TableDefinition& table : plan_.tables) publish(table.name);
  }
  for (const PlannedAlteration& alteration : plan_.alterations)
    after(alteration.at, "alteration.due", [this, &alteration] { due(alteration); });
}

void AlterationDriver::due(const PlannedAlteration& alteration) {
  if (alteration.moment == Moment::any_time) return make(alteration);
  aims_.emplace_back(&alteration, Aim(alteration.moment, alteration.pick, plan_.knobs));
  after(k_patience, "alteration.anyway", [this, &alteration] {
    if (std::erase_if(aims_, [&](const auto& aim) { return aim.first == &alteration; }) > 0)
      make(alteration);
  });
}

void AlterationDriver::observe(const sim::StepInfo& step) {
  for (std::size_t i = 0; i < aims_.size();) {
    if (!aims_[i].second.take(step.label.text)) {
      ++i;
      continue;
    }
    const PlannedAlteration& alteration = *aims_[i].first;
    aims_.erase(aims_.begin() + static_cast<std::ptrdiff_t>(i));
    make(alteration);
  }
}

std::size_t AlterationDriver::record(oracle::Cause cause, const PlannedAlteration& alteration) {
  const bool unfit = cause == oracle::Cause::table_unfit;
  // A shape that is made later is made of the table as it is from now on.
  const bool lasts = unfit || cause == oracle::Cause::table_unpublished;
  const Instant over = lasts ? Instant::never() : executor_.now();
  return oracle_.record(
      {.cause = cause,
       .subject = alteration.table,
       .at = executor_.now(),
       .over = over,
       .columns = unfit ? lost_columns(alteration) : altered_columns(alteration)});
}

void AlterationDriver::make(const PlannedAlteration& alteration) {
  if (!change(alteration))
    return after(k_retry, "alteration.again", [this, &alteration] { make(alteration); });
  executor_.trace().note("altered: " + std::string(name_of(alteration.kind)) + " " +
                         alteration.table + " " + alteration.column);
  ++made_;
  Recorded recorded;
  recorded.altered = record(oracle::Cause::table_altered, alteration);
  // Until it is undone, one shape after the other may end of it.
  if (is_of_service(alteration.kind)) oracle_.over(recorded.altered, Instant::never());
  if (refuses(alteration)) recorded.unfit = record(oracle::Cause::table_unfit, alteration);
  if (alteration.kind == AlterationKind::unpublish)
    recorded.gap = record(oracle::Cause::table_unpublished, alteration);
  after(alteration.undone_after, "alteration.undo",
        [this, &alteration, recorded] { undo(alteration, recorded); });
}

bool AlterationDriver::refuses(const PlannedAlteration& alteration) const {
  if (is_of_column(alteration.kind)) return !lost_columns(alteration).empty();
  if (!is_of_service(alteration.kind)) return true;
  return alteration.kind == AlterationKind::revoke || plan_.knobs.manual_publishing != 0;
}

void AlterationDriver::undo(const PlannedAlteration& alteration, const Recorded& recorded) {
  if (!change_back(alteration))
    return after(k_retry, "alteration.undo_again",
                 [this, &alteration, recorded] { undo(alteration, recorded); });
  executor_.trace().note("undone: " + std::string(name_of(alteration.kind)) + " " +
                         alteration.table + " " + alteration.column);
  if (is_of_service(alteration.kind))
    oracle_.over(recorded.altered, executor_.now());
  else if (undoing_ends_shapes(alteration.kind))
    record(oracle::Cause::table_altered, alteration);
  const Instant noticed = executor_.now() + plan_.knobs.schema_reconciler_period + k_refusal_lag;
  for (const auto& event : {recorded.unfit, recorded.gap})
    if (event) oracle_.over(*event, noticed);
  --pending_;
}

bool AlterationDriver::change(const PlannedAlteration& alteration) {
  const RelationName& table = table_of(alteration).name;
  switch (alteration.kind) {
    case AlterationKind::recreate_table:
      return postgres_.drop_table(table);
    case AlterationKind::replace_table:
    case AlterationKind::rename_table:
      return postgres_.rename_table(table, aside(alteration));
    case AlterationKind::add_column:
      return postgres_.add_column(table,
                                  {.name = alteration.column, .type = sim::postgres::TypeId::int4});
    case AlterationKind::drop_column:
      return postgres_.drop_column(table, alteration.column);
    case AlterationKind::rename_column:
      return postgres_.rename_column(table, alteration.column, other_name(alteration));
    case AlterationKind::change_type:
      return postgres_.change_type(table, alteration.column, sim::postgres::TypeId::int8);
    case AlterationKind::lose_identity:
      return postgres_.set_replica_identity(table, sim::postgres::ReplicaIdentity::by_default);
    case AlterationKind::unpublish:
      if (!postgres_.describe(table)) return false;
      postgres_.remove_from_publication(publication_, table);
      return true;
    case AlterationKind::revoke:
      return postgres_.set_readable(table, false);
    case AlterationKind::drop_not_null:
      return postgres_.set_not_null(table, alteration.column, false);
  }
  ASSERT(false, "every kind of alteration can be made");
}

bool AlterationDriver::change_back(const PlannedAlteration& alteration) {
  const TableDefinition& table = table_of(alteration);
  const auto now = postgres_.describe(table.name);
  switch (alteration.kind) {
    case AlterationKind::recreate_table:
    case AlterationKind::replace_table:
      if (!now) create_again(table);
      return true;
    case AlterationKind::rename_table:
      return postgres_.rename_table(aside(alteration), table.name);
    case AlterationKind::lose_identity:
    case AlterationKind::unpublish:
      return publish(table.name);
    case AlterationKind::revoke:
      return postgres_.set_readable(table.name, true);
    default:
      break;
  }
  if (!now) return false;
  const auto has = [&](const std::string& name) {
    return std::any_of(now->columns.begin(), now->columns.end(),
                       [&](const auto& column) { return column.name == name; });
  };
  const sim::postgres::Column* planned = find_column(table, alteration.column);
  switch (alteration.kind) {
    case AlterationKind::add_column:
      return !has(alteration.column) || postgres_.drop_column(table.name, alteration.column);
    case AlterationKind::drop_column: {
      if (has(alteration.column)) return true;
      return postgres_.add_column(table.name, {.name = alteration.column, .type = planned->type});
    }
    case AlterationKind::rename_column:
      return !has(other_name(alteration)) ||
             postgres_.rename_column(table.name, other_name(alteration), alteration.column);
    case AlterationKind::drop_not_null:
      // Under another name for a while: whoever gave it that name gives it back.
      return has(alteration.column) && postgres_.set_not_null(table.name, alteration.column, true);
    default:
      return !has(alteration.column) ||
             postgres_.change_type(table.name, alteration.column, planned->type);
  }
}

bool AlterationDriver::publish(const RelationName& table) {
  // With the table's lock, so that nobody is writing meanwhile.
  if (!postgres_.set_replica_identity(table, sim::postgres::ReplicaIdentity::full)) return false;
  // An engine that has not made its publication yet publishes the table itself, once it is read.
  if (postgres_.has_publication(publication_)) postgres_.add_to_publication(publication_, table);
  return true;
}

std::string AlterationDriver::stray_table() const {
  if (plan_.alterations.empty() || plan_.knobs.manual_publishing != 0) return {};
  for (const RelationName& name : postgres_.published(publication_)) {
    const bool read = std::any_of(plan_.specs.begin(), plan_.specs.end(),
                                  [&](const auto& spec) { return spec.reads(name.table); });
    if (!read) return name.table;
  }
  return {};
}

bool AlterationDriver::is_published(const oracle::ShapeSpec& spec) const {
  const auto published = postgres_.published(publication_);
  return std::all_of(plan_.tables.begin(), plan_.tables.end(), [&](const TableDefinition& table) {
    return !spec.reads(table.name.table) ||
           std::find(published.begin(), published.end(), table.name) != published.end();
  });
}

void AlterationDriver::create_again(const TableDefinition& table) {
  postgres_.create_table(table);
  if (plan_.knobs.manual_publishing != 0) publish(table.name);
  const sim::postgres::Session session = postgres_.begin();
  for (const sim::postgres::Statement& row : plan_.initial_rows)
    if (row.table == table.name) postgres_.execute(session, row);
  postgres_.log_commit(session, sim::postgres::Synchronous::on);
  postgres_.show_commit(session);
}

}  // namespace holdfast::scenarios
