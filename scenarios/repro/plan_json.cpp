#include "scenarios/repro/plan_json.hpp"

#include <array>
#include <concepts>
#include <type_traits>

#include "scenarios/plans/workload.hpp"
#include "scenarios/repro/fields.hpp"
#include "scenarios/repro/plan_references.hpp"

// The describe() functions are no members of an unnamed namespace: fields.hpp must find them.
namespace holdfast::scenarios {

using sim::ScheduleDecision;
using sim::postgres::Column;
using sim::postgres::RelationName;
using sim::postgres::Statement;
using sim::postgres::Synchronous;
using sim::postgres::TableDefinition;

namespace {

/// A T to be written, or one to be read.
template <class T, class Wanted>
concept Either = std::same_as<std::remove_const_t<T>, Wanted>;

const std::string k_public = "public";

constexpr std::array<std::string_view, 4> k_statement_names = {"insert", "update", "delete",
                                                               "truncate"};
/// By TypeId; a column of unknown type does not exist.
constexpr std::array<std::string_view, 14> k_type_names = {
    "bool", "int2",    "int4",   "int8", "float4", "float8",    "numeric",
    "text", "varchar", "bpchar", "uuid", "date",   "timestamp", "timestamptz"};
constexpr std::array<std::string_view, 2> k_replica_names = {"default", "full"};

struct TimedStatement {
  Statement statement;
  Duration pause{};
};

}  // namespace

template <class Fields, Either<RelationName> Value>
void describe(Fields& fields, Value& relation) {
  fields.optional("schema", relation.schema, k_public);
  fields.required("table", relation.table);
}

template <class Fields, Either<Statement> Value>
void describe(Fields& fields, Value& statement) {
  fields.one_of("kind", statement.kind, k_statement_names);
  describe(fields, statement.table);
  fields.texts("set", statement.set);
  fields.texts("where", statement.where);
  fields.optional("also", statement.also);
}

template <class Fields, Either<TimedStatement> Value>
void describe(Fields& fields, Value& timed) {
  describe(fields, timed.statement);
  fields.optional("pause", timed.pause);
}

template <class Fields, Either<Column> Value>
void describe(Fields& fields, Value& column) {
  fields.required("name", column.name);
  fields.one_of("type", column.type, k_type_names);
  fields.optional("key", column.key_position);
  fields.optional("not_null", column.not_null);
}

template <class Fields, Either<TableDefinition> Value>
void describe(Fields& fields, Value& table) {
  describe(fields, table.name);
  fields.required("columns", table.columns);
}

template <class Fields, Either<oracle::ShapeSpec> Value>
void describe(Fields& fields, Value& spec) {
  fields.required("name", spec.name);
  fields.optional("schema", spec.schema, k_public);
  fields.required("table", spec.table);
  fields.optional("where", spec.where);
  fields.optional("columns", spec.columns);
  fields.optional_one_of("replica", spec.replica, k_replica_names);
  fields.optional("inner_tables", spec.inner_tables);
}

template <class Fields, Either<PlannedClient> Value>
void describe(Fields& fields, Value& client) {
  fields.required("number", client.number);
  fields.required("shape", client.spec);
  fields.optional("starts_at", client.starts_at);
  fields.optional("fresh_after", client.fresh_after);
  fields.optional("leaves_after", client.leaves_after);
  fields.optional("patience", client.patience);
  fields.optional("lag", client.lag);
  fields.optional("proxied", client.proxied);
}

template <class Fields, Either<PlannedTransaction> Value>
void describe(Fields& fields, Value& transaction) {
  fields.optional("writer", transaction.writer);
  fields.optional("pause_before", transaction.pause_before);
  bool asynchronous = transaction.synchronous == Synchronous::off;
  std::vector<TimedStatement> statements;
  for (std::size_t i = 0; i < transaction.statements.size(); ++i)
    statements.push_back({transaction.statements[i], transaction.pauses[i]});
  fields.required("statements", statements);
  fields.optional("asynchronous", asynchronous);
  fields.optional("rolls_back", transaction.rolls_back);
  fields.optional("standby_wait", transaction.standby_wait);
  if constexpr (!std::is_const_v<Value>) {
    transaction.synchronous = asynchronous ? Synchronous::off : Synchronous::on;
    for (TimedStatement& timed : statements) {
      transaction.statements.push_back(std::move(timed.statement));
      transaction.pauses.push_back(timed.pause);
    }
  }
}

template <class Fields, Either<PlannedRestart> Value>
void describe(Fields& fields, Value& restart) {
  fields.required("number", restart.number);
  fields.one_of("kind", restart.kind, names_of(RestartKind{}));
  fields.optional("after", restart.after);
  fields.optional_one_of("moment", restart.moment, names_of(Moment{}));
  fields.optional("down_time", restart.down_time);
  fields.optional("overlap", restart.overlap);
  fields.optional("kill_during_stop", restart.kill_during_stop);
  fields.optional("kill_delay", restart.kill_delay);
}

template <class Fields, Either<PlannedFault> Value>
void describe(Fields& fields, Value& fault) {
  fields.one_of("kind", fault.kind, names_of(FaultKind{}));
  fields.required("at", fault.at);
  fields.optional_one_of("moment", fault.moment, names_of(Moment{}));
  fields.optional("pick", fault.pick);
  fields.optional("victim", fault.victim);
}

template <class Fields, Either<PlannedRemoval> Value>
void describe(Fields& fields, Value& removal) {
  fields.required("number", removal.number);
  fields.optional("truncate", removal.truncate);
  fields.required("subject", removal.subject);
  fields.required("at", removal.at);
}

template <class Fields, Either<PlannedProbe> Value>
void describe(Fields& fields, Value& probe) {
  fields.required("number", probe.number);
  fields.one_of("kind", probe.kind, names_of(oracle::ProbeKind{}));
  fields.required("shape", probe.spec);
  fields.required("at", probe.at);
  fields.optional("pick", probe.pick);
}

template <class Fields, Either<PlannedAlteration> Value>
void describe(Fields& fields, Value& alteration) {
  fields.required("number", alteration.number);
  fields.one_of("kind", alteration.kind, names_of(AlterationKind{}));
  fields.required("table", alteration.table);
  fields.optional("column", alteration.column);
  fields.required("at", alteration.at);
  fields.optional_one_of("moment", alteration.moment, names_of(Moment{}));
  fields.optional("pick", alteration.pick);
  fields.optional("undone_after", alteration.undone_after);
}

template <class Fields, Either<Knobs> Value>
void describe(Fields& fields, Value& knobs) {
  each_knob(knobs, [&](const char* name, auto& value, const auto& usual) {
    fields.optional(name, value, usual);
  });
}

template <class Fields, Either<ScheduleDecision> Value>
void describe(Fields& fields, Value& decision) {
  fields.required("hold", decision.path);
  fields.required("step", decision.ordinal);
  fields.required("times", decision.times);
  fields.optional("ran_before", decision.ran_before);
  fields.optional("older", decision.older);
}

template <class Fields, Either<Plan> Value>
void describe(Fields& fields, Value& plan) {
  fields.optional("knobs", plan.knobs);
  fields.required("tables", plan.tables);
  fields.optional("initial_rows", plan.initial_rows);
  fields.required("shapes", plan.specs);
  fields.required("clients", plan.clients);
  fields.optional("writers", plan.writers, 1U);
  fields.optional("transactions", plan.transactions);
  fields.optional("restarts", plan.restarts);
  fields.optional("faults", plan.faults);
  fields.optional("removals", plan.removals);
  fields.optional("probes", plan.probes);
  fields.optional("alterations", plan.alterations);
  fields.optional("calm_commits", plan.calm_commits);
  fields.optional("calm_deaths", plan.calm_deaths);
  fields.optional("calm_standby", plan.calm_standby);
  fields.one_of("schedule", plan.strategy, names_of(StrategyKind{}));
  fields.optional("decisions", plan.decisions);
}

OrderedJson plan_to_json(const Plan& plan) {
  return FieldWriter::encode(plan);
}

void plan_from_json(const JsonValue& json, Plan& plan, Complaint& complaint) {
  {
    FieldReader fields(json, complaint);
    describe(fields, plan);
  }
  if (complaint.text()) return;
  check_references(plan, json, complaint);
  if (complaint.text()) return;
  for (oracle::ShapeSpec& spec : plan.specs)
    for (const TableDefinition& table : plan.tables)
      if (table.name.table == spec.table && table.name.schema == spec.schema)
        describe_columns(spec, table);
}

}  // namespace holdfast::scenarios
