#include "scenarios/repro/plan_references.hpp"

#include <algorithm>
#include <set>

#include "core/shape/definition.hpp"
#include "scenarios/plans/layouts.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/repro/fields.hpp"
#include "sim/postgres/model.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Column;
using sim::postgres::RelationName;
using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TableDefinition;

/// More writers than this and a run is about nothing else.
constexpr unsigned k_most_writers = 64;
const std::set<std::string_view> k_in_final_row = {"id", "v", "name", k_part_column,
                                                   k_entry_column};

class Checker {
 public:
  Checker(const Plan& plan, const JsonValue& json, Complaint& complaint)
      : plan_(plan), json_(json), complaint_(complaint) {}

  void tables();
  void rows();
  void specs();
  void where(std::size_t index);
  void clients();
  void transactions();
  void trouble();
  void alteration(std::size_t index);
  void bounds();

 private:
  /// The line of item `index` of a list of the plan, or of the plan itself.
  std::size_t line(const char* list, std::size_t index) const {
    const JsonValue* found = json_.find(list);
    if (found == nullptr) return json_.line;
    return index < found->items.size() ? found->items[index].line : found->line;
  }
  void object(const char* list, std::size_t index, const std::string& reason) {
    complaint_.add(line(list, index), reason);
  }
  const TableDefinition* find_table(const RelationName& name) const {
    for (const TableDefinition& table : plan_.tables)
      if (table.name == name) return &table;
    return nullptr;
  }
  void key(const TableDefinition& table, std::size_t index);
  void statement(const Statement& statement, std::size_t line);
  void entry(const Statement& statement, std::size_t line);
  template <class Part>
  void numbers(const char* list, const std::vector<Part>& parts) {
    std::set<unsigned> seen;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!seen.insert(parts[i].number).second)
        object(list, i, "the number " + std::to_string(parts[i].number) + " stands there twice");
  }

  const Plan& plan_;
  const JsonValue& json_;
  Complaint& complaint_;
  std::set<std::pair<RelationName, std::string>> entries_;  ///< of tables without a key
};

void Checker::tables() {
  if (plan_.tables.empty()) complaint_.add(line("tables", 0), "a plan needs a table");
  std::set<RelationName> names;
  for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
    const TableDefinition& table = plan_.tables[i];
    if (!names.insert(table.name).second) object("tables", i, "two tables have the same name");
    std::set<std::string> columns;
    for (const Column& column : table.columns) {
      if (!columns.insert(column.name).second)
        object("tables", i, "column '" + column.name + "' stands there twice");
      // The run ends with a row of its own in every table: see final_rows().
      if (column.key_position > 0 && column.name != "id" && column.name != k_part_column)
        object("tables", i, "the primary key is the column 'id', or 'part' and 'id'");
      if (column.not_null && !k_in_final_row.contains(column.name))
        object("tables", i, "column '" + column.name + "' may not be NOT NULL");
    }
    key(table, i);
  }
}

void Checker::key(const TableDefinition& table, std::size_t index) {
  const Column* const id = find_column(table, "id");
  const Column* const part = find_column(table, k_part_column);
  const Column* const entry = find_column(table, k_entry_column);
  if (id == nullptr) return object("tables", index, "a table needs the column 'id'");
  const bool keyless = id->key_position == 0;
  const unsigned place = part == nullptr ? 1 : 2;
  if (keyless ? part != nullptr : id->key_position != place || (part && part->key_position != 1))
    object("tables", index, "the primary key is the column 'id', or 'part' and 'id'");
  const bool seen = std::any_of(plan_.specs.begin(), plan_.specs.end(), [&](const auto& spec) {
    return spec.schema == table.name.schema && spec.table == table.name.table;
  });
  if ((keyless && seen && entry == nullptr) || (entry != nullptr && (!keyless || !entry->not_null)))
    object("tables", index, "where 'id' is no key, and only there, 'entry' keeps rows apart");
}

void Checker::statement(const Statement& statement, std::size_t line) {
  const TableDefinition* const table = find_table(statement.table);
  if (table == nullptr)
    return complaint_.add(line, "there is no table '" + statement.table.table + "'");
  for (const auto& list : {statement.set, statement.where})
    for (const auto& [column, text] : list) {
      if (find_column(*table, column) == nullptr)
        complaint_.add(line,
                       "table '" + statement.table.table + "' has no column '" + column + "'");
      if ((column == "id" || column == k_entry_column) && text == k_final_key)
        complaint_.add(line, "the key " + *text + " is the one that the run itself writes");
    }
  if (find_column(*table, k_entry_column) != nullptr) entry(statement, line);
  for (const RelationName& also : statement.also)
    if (find_table(also) == nullptr) complaint_.add(line, "there is no table '" + also.table + "'");
}

void Checker::entry(const Statement& statement, std::size_t line) {
  const auto entry = std::find_if(statement.set.begin(), statement.set.end(),
                                  [](const auto& cell) { return cell.first == k_entry_column; });
  const bool there = entry != statement.set.end();
  if (there != (statement.kind == StatementKind::insert))
    return complaint_.add(line, "'entry' is what a row is inserted with, and stays");
  if (there && !entries_.insert({statement.table, entry->second.value_or("")}).second)
    complaint_.add(line, "another row has this 'entry'");
}

void Checker::rows() {
  for (std::size_t i = 0; i < plan_.initial_rows.size(); ++i) {
    if (plan_.initial_rows[i].kind != StatementKind::insert)
      object("initial_rows", i, "a row that is there at the start is an insert");
    statement(plan_.initial_rows[i], line("initial_rows", i));
  }
}

void Checker::specs() {
  std::set<std::string> names;
  for (std::size_t i = 0; i < plan_.specs.size(); ++i) {
    const oracle::ShapeSpec& spec = plan_.specs[i];
    if (!names.insert(spec.name).second)
      object("shapes", i, "two shapes are called '" + spec.name + "'");
    for (std::size_t other = 0; other < i; ++other)
      if (same_definition(spec, plan_.specs[other]))
        object("shapes", i, "defines the same shape as '" + plan_.specs[other].name + "'");
    const TableDefinition* const table = find_table({spec.schema, spec.table});
    if (table == nullptr) {
      object("shapes", i, "there is no table '" + spec.table + "'");
      continue;
    }
    for (const std::string& inner : spec.inner_tables)
      if (find_table({spec.schema, inner}) == nullptr)
        object("shapes", i, "there is no table '" + inner + "'");
    for (const std::string& column : spec.columns)
      if (find_column(*table, column) == nullptr)
        object("shapes", i, "table '" + spec.table + "' has no column '" + column + "'");
    where(i);
  }
}

void Checker::where(std::size_t index) {
  const oracle::ShapeSpec& spec = plan_.specs[index];
  if (spec.where.empty() || complaint_.text()) return;
  sim::postgres::PostgresModel model;
  where::Relations relations;
  for (const TableDefinition& table : plan_.tables) {
    model.create_table(table);
    relations.push_back(*model.describe(table.name));
  }
  const auto own =
      std::find_if(relations.begin(), relations.end(), [&](const postgres::RelationInfo& relation) {
        return relation.name == RelationName{spec.schema, spec.table};
      });
  shape::DefinitionRequest request{.table = own->name};
  request.where = spec.where;
  const auto resolved = shape::Definition::resolve(request, *own, &relations);
  if (resolved.ok()) return;
  const JsonValue* const text = json_.find("shapes")->items[index].find("where");
  complaint_.add(text->line, "the clause of '" + spec.name + "': " + resolved.error().message);
}

void Checker::clients() {
  numbers("clients", plan_.clients);
  for (std::size_t i = 0; i < plan_.clients.size(); ++i)
    if (plan_.clients[i].spec >= plan_.specs.size())
      object("clients", i,
             "there is no shape number " + std::to_string(plan_.clients[i].spec) +
                 "; they count from 0");
}

void Checker::transactions() {
  if (plan_.writers < 1 || plan_.writers > k_most_writers)
    complaint_.add(line("writers", 0), "'writers' is from 1 to " + std::to_string(k_most_writers));
  for (std::size_t i = 0; i < plan_.transactions.size(); ++i) {
    const PlannedTransaction& transaction = plan_.transactions[i];
    if (transaction.writer >= plan_.writers)
      object("transactions", i, "there is no writer " + std::to_string(transaction.writer));
    const JsonValue* const list = json_.find("transactions")->items[i].find("statements");
    for (std::size_t s = 0; s < transaction.statements.size(); ++s)
      statement(transaction.statements[s], list->items[s].line);
  }
}

void Checker::alteration(std::size_t index) {
  const PlannedAlteration& planned = plan_.alterations[index];
  const TableDefinition* const table = find_table({"public", planned.table});
  if (table == nullptr)
    return object("alterations", index, "there is no table '" + planned.table + "'");
  if (is_of_column(planned.kind) == planned.column.empty())
    return object("alterations", index, "a column is named where a column changes, and only there");
  if (planned.column.empty()) return;
  const Column* const column = find_column(*table, planned.column);
  if ((column == nullptr) != (planned.kind == AlterationKind::add_column))
    return object("alterations", index,
                  "a column that is added is new, any other is one of the table's");
  if (column == nullptr) return;
  if (column->key_position > 0) object("alterations", index, "the key stays as it is");
  if (column->not_null && planned.kind == AlterationKind::drop_column)
    object("alterations", index, "a column that is NOT NULL cannot be added again");
  if (!column->not_null && planned.kind == AlterationKind::drop_not_null)
    object("alterations", index, "a column that may be NULL stays so");
  if (planned.kind == AlterationKind::change_type && column->type != sim::postgres::TypeId::int2 &&
      column->type != sim::postgres::TypeId::int4)
    object("alterations", index, "only int2 and int4 become wider");
}

void Checker::trouble() {
  numbers("restarts", plan_.restarts);
  numbers("removals", plan_.removals);
  for (std::size_t i = 0; i < plan_.removals.size(); ++i) {
    const PlannedRemoval& removal = plan_.removals[i];
    if (removal.subject >= (removal.truncate ? plan_.tables.size() : plan_.specs.size()))
      object("removals", i, "there is no such table or shape; they count from 0");
  }
  numbers("probes", plan_.probes);
  for (std::size_t i = 0; i < plan_.probes.size(); ++i)
    if (plan_.probes[i].spec >= plan_.specs.size())
      object("probes", i, "there is no such shape; they count from 0");
  numbers("alterations", plan_.alterations);
  for (std::size_t i = 0; i < plan_.alterations.size(); ++i) alteration(i);
  if (!plan_.decisions.empty() && plan_.strategy != StrategyKind::scripted)
    complaint_.add(line("decisions", 0), "'decisions' want the schedule 'scripted'");
}

void Checker::bounds() {
  const Knobs& knobs = plan_.knobs;
  const auto refuse = [&](const char* name, const char* reason) {
    const JsonValue* const list = json_.find("knobs");
    const JsonValue* const value = list == nullptr ? nullptr : list->find(name);
    complaint_.add(value == nullptr ? json_.line : value->line,
                   "'" + std::string(name) + "' " + reason);
  };
  if (knobs.chunk_bytes == 0) refuse("chunk_bytes", "is at least 1");
  if (knobs.journal_bytes == 0) refuse("journal_bytes", "is at least 1");
  if (knobs.fragment_bytes == 0) refuse("fragment_bytes", "is at least 1");
  if (knobs.connection_pool_size == 0) refuse("connection_pool_size", "is at least 1");
  if (knobs.long_poll_timeout < std::chrono::seconds(1))
    refuse("long_poll_timeout", "is at least a second, as cursors count in seconds");
  if (knobs.reconnect_backoff_min <= Duration{0}) refuse("reconnect_backoff_min", "is above 0");
  if (knobs.status_interval <= Duration{0}) refuse("status_interval", "is above 0");
  if (knobs.ragged_receive_percent > 100) refuse("ragged_receive_percent", "is at most 100");
  if (knobs.first_xid < 3) refuse("first_xid", "is at least 3: smaller ones mean no transaction");
  if (knobs.first_lsn == 0 || knobs.first_lsn > ~0ULL - (1ULL << 40))
    refuse("first_lsn", "is above 0 and leaves room for a log");
}

}  // namespace

void check_references(const Plan& plan, const JsonValue& json, Complaint& complaint) {
  Checker checker(plan, json, complaint);
  checker.tables();
  checker.rows();
  checker.specs();
  checker.clients();
  checker.transactions();
  checker.trouble();
  checker.bounds();
}

}  // namespace holdfast::scenarios
