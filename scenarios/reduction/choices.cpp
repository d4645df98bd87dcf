#include "scenarios/reduction/choices.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <type_traits>

#include "scenarios/plans/layouts.hpp"
#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::ColumnText;
using sim::postgres::RelationName;
using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TableDefinition;

constexpr std::array<ChoiceKind, 17> k_kinds = {
    ChoiceKind::table,       ChoiceKind::shape,       ChoiceKind::client,
    ChoiceKind::restart,     ChoiceKind::fault,       ChoiceKind::probe,
    ChoiceKind::removal,     ChoiceKind::alteration,  ChoiceKind::calm_death,
    ChoiceKind::calm_commit, ChoiceKind::transaction, ChoiceKind::statement,
    ChoiceKind::initial_row, ChoiceKind::knob,        ChoiceKind::decision,
    ChoiceKind::column,      ChoiceKind::cell};
constexpr std::array<std::string_view, 17> k_kind_names = {
    "tables",       "shapes",      "clients",     "restarts",     "faults",       "probes",
    "removals",     "alterations", "calm deaths", "calm commits", "transactions", "statements",
    "initial rows", "knobs",       "decisions",   "columns",      "cells"};

/// Which choices are gone, by a running number.
using Gone = std::function<bool(std::size_t)>;

template <class T>
void erase_where(std::vector<T>& list, const Gone& gone) {
  std::size_t index = 0;
  std::erase_if(list, [&](const T&) { return gone(index++); });
}

void drop_shapes(Plan& plan, const Gone& gone) {
  std::vector<std::size_t> now(plan.specs.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < plan.specs.size(); ++i) now[i] = gone(i) ? now.size() : kept++;
  const std::size_t lost = now.size();
  std::erase_if(plan.clients, [&](const auto& client) { return now[client.spec] == lost; });
  std::erase_if(plan.removals, [&](const auto& removal) {
    return !removal.truncate && now[removal.subject] == lost;
  });
  std::erase_if(plan.probes, [&](const auto& probe) { return now[probe.spec] == lost; });
  for (PlannedProbe& probe : plan.probes) probe.spec = now[probe.spec];
  for (PlannedClient& client : plan.clients) client.spec = now[client.spec];
  for (PlannedRemoval& removal : plan.removals)
    if (!removal.truncate) removal.subject = now[removal.subject];
  erase_where(plan.specs, gone);
}

/// Statements by number, over all transactions; a transaction without any goes.
void drop_statements(Plan& plan, const Gone& gone) {
  std::size_t number = 0;
  for (PlannedTransaction& transaction : plan.transactions) {
    const std::size_t first = number;
    number += transaction.statements.size();
    const auto lost = [&](std::size_t i) { return gone(first + i); };
    erase_where(transaction.statements, lost);
    erase_where(transaction.pauses, lost);
  }
  std::erase_if(plan.transactions, [](const auto& tx) { return tx.statements.empty(); });
}

template <class Wanted>
void drop_statements_where(Plan& plan, Wanted wanted) {
  std::vector<bool> lost;
  for (const PlannedTransaction& transaction : plan.transactions)
    for (const Statement& statement : transaction.statements) lost.push_back(wanted(statement));
  drop_statements(plan, [&](std::size_t i) { return lost[i]; });
}

void drop_tables(Plan& plan, const Gone& gone) {
  std::vector<RelationName> lost;
  std::vector<std::size_t> now(plan.tables.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    if (gone(i)) lost.push_back(plan.tables[i].name);
    now[i] = gone(i) ? plan.tables.size() : kept++;
  }
  const auto is_lost = [&](const RelationName& name) {
    return std::find(lost.begin(), lost.end(), name) != lost.end();
  };
  std::erase_if(plan.removals, [&](const PlannedRemoval& removal) {
    return removal.truncate && now[removal.subject] == now.size();
  });
  for (PlannedRemoval& removal : plan.removals)
    if (removal.truncate) removal.subject = now[removal.subject];
  std::erase_if(plan.alterations, [&](const PlannedAlteration& alteration) {
    return is_lost({"public", alteration.table});
  });
  const std::vector<oracle::ShapeSpec> specs = plan.specs;
  drop_shapes(plan, [&](std::size_t i) {
    return std::any_of(lost.begin(), lost.end(), [&](const RelationName& name) {
      return name.schema == specs[i].schema && specs[i].reads(name.table);
    });
  });
  std::erase_if(plan.initial_rows, [&](const Statement& row) { return is_lost(row.table); });
  drop_statements_where(plan, [&](const Statement& s) { return is_lost(s.table); });
  erase_where(plan.tables, gone);
}

void reset_knobs(Plan& plan, const Gone& gone) {
  std::size_t index = 0;
  each_knob(plan.knobs, [&](const char*, auto& value, const auto& usual) {
    if (!(value == usual) && gone(index++)) value = usual;
  });
}

bool names(const std::vector<ColumnText>& list, const std::string& column) {
  return std::any_of(list.begin(), list.end(),
                     [&](const auto& each) { return each.first == column; });
}

void drop_column(Plan& plan, const RelationName& table, const std::string& column) {
  std::erase_if(plan.alterations, [&](const PlannedAlteration& alteration) {
    return alteration.table == table.table && alteration.column == column;
  });
  const auto is_column = [&](const ColumnText& cell) { return cell.first == column; };
  drop_statements_where(plan, [&](const Statement& s) {
    return s.table == table &&
           (names(s.where, column) ||
            (s.kind == StatementKind::update && s.set.size() == 1 && names(s.set, column)));
  });
  for (PlannedTransaction& transaction : plan.transactions)
    for (Statement& statement : transaction.statements)
      if (statement.table == table) std::erase_if(statement.set, is_column);
  for (Statement& row : plan.initial_rows)
    if (row.table == table) std::erase_if(row.set, is_column);
  for (TableDefinition& definition : plan.tables) {
    if (definition.name != table) continue;
    std::erase_if(definition.columns, [&](const auto& each) { return each.name == column; });
    for (oracle::ShapeSpec& spec : plan.specs)
      if (spec.schema == table.schema && spec.table == table.table) {
        std::erase(spec.columns, column);
        describe_columns(spec, definition);
      }
  }
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '"';
}

/// The clause names the column, or might: then the column stays, else the request would be refused.
bool may_name(const std::string& where, const std::string& column) {
  for (std::size_t at = where.find(column); at != std::string::npos;
       at = where.find(column, at + 1)) {
    const std::size_t end = at + column.size();
    if ((at == 0 || !is_word(where[at - 1]) || where[at - 1] == '"') &&
        (end == where.size() || !is_word(where[end]) || where[end] == '"'))
      return true;
  }
  return false;
}

bool keeps_rows_apart(const std::string& column) {
  return column == "id" || column == k_part_column || column == k_entry_column;
}

/// Neither the key nor part of a condition.
bool can_go(const Plan& plan, const TableDefinition& table, const sim::postgres::Column& column) {
  return !keeps_rows_apart(column.name) &&
         std::none_of(plan.specs.begin(), plan.specs.end(), [&](const auto& spec) {
           return spec.schema == table.name.schema && spec.reads(table.name.table) &&
                  may_name(spec.where, column.name);
         });
}

void drop_columns(Plan& plan, const Gone& gone) {
  std::vector<std::pair<RelationName, std::string>> lost;
  std::size_t number = 0;
  for (const TableDefinition& table : plan.tables)
    for (const auto& column : table.columns)
      if (can_go(plan, table, column) && gone(number++)) lost.emplace_back(table.name, column.name);
  for (const auto& [table, column] : lost) drop_column(plan, table, column);
  // Shapes may have differed by these columns alone; a plan has each definition once.
  const std::vector<oracle::ShapeSpec> specs = plan.specs;
  drop_shapes(plan, [&](std::size_t i) {
    return std::any_of(specs.begin(), specs.begin() + static_cast<std::ptrdiff_t>(i),
                       [&](const auto& other) { return same_definition(other, specs[i]); });
  });
}

/// Calls visit(statement) for each statement whose cells can be dropped one by one.
template <class PlanOrConst, class Visit>
void each_row(PlanOrConst& plan, Visit visit) {
  for (auto& row : plan.initial_rows) visit(row);
  for (auto& transaction : plan.transactions)
    for (auto& statement : transaction.statements) visit(statement);
}

/// The cells that a statement can do without: not a key, and of an update not the last.
bool can_go(const Statement& statement, std::size_t cell) {
  if (statement.kind == StatementKind::insert) return !keeps_rows_apart(statement.set[cell].first);
  return statement.set.size() > 1;
}

void drop_cells(Plan& plan, const Gone& gone) {
  std::size_t number = 0;
  each_row(plan, [&](Statement& statement) {
    std::vector<bool> lost;
    for (std::size_t i = 0; i < statement.set.size(); ++i)
      lost.push_back(can_go(statement, i) && gone(number++));
    if (statement.kind == StatementKind::update &&
        std::find(lost.begin(), lost.end(), false) == lost.end())
      lost.front() = false;
    erase_where(statement.set, [&](std::size_t i) { return lost[i]; });
  });
}

void drop(Plan& plan, ChoiceKind kind, const Gone& gone) {
  switch (kind) {
    case ChoiceKind::table:
      return drop_tables(plan, gone);
    case ChoiceKind::shape:
      return drop_shapes(plan, gone);
    case ChoiceKind::client:
      return erase_where(plan.clients, gone);
    case ChoiceKind::restart:
      return erase_where(plan.restarts, gone);
    case ChoiceKind::fault:
      return erase_where(plan.faults, gone);
    case ChoiceKind::probe:
      return erase_where(plan.probes, gone);
    case ChoiceKind::removal:
      return erase_where(plan.removals, gone);
    case ChoiceKind::alteration:
      return erase_where(plan.alterations, gone);
    case ChoiceKind::calm_commit: {
      unsigned left = 0;
      for (unsigned i = 0; i < plan.calm_commits; ++i) left += gone(i) ? 0 : 1;
      plan.calm_commits = left;
      plan.calm_deaths = std::min(plan.calm_deaths, left);
      return;
    }
    case ChoiceKind::calm_death: {
      unsigned left = 0;
      for (unsigned i = 0; i < plan.calm_deaths; ++i) left += gone(i) ? 0 : 1;
      plan.calm_deaths = left;
      return;
    }
    case ChoiceKind::transaction:
      return erase_where(plan.transactions, gone);
    case ChoiceKind::statement:
      return drop_statements(plan, gone);
    case ChoiceKind::initial_row:
      return erase_where(plan.initial_rows, gone);
    case ChoiceKind::knob:
      return reset_knobs(plan, gone);
    case ChoiceKind::decision:
      erase_where(plan.decisions, gone);
      if (plan.decisions.empty()) plan.strategy = StrategyKind::fifo;
      return;
    case ChoiceKind::column:
      return drop_columns(plan, gone);
    case ChoiceKind::cell:
      return drop_cells(plan, gone);
  }
}

}  // namespace

std::span<const ChoiceKind> choice_kinds() {
  return k_kinds;
}

std::string_view name_of(ChoiceKind kind) {
  return k_kind_names[static_cast<std::size_t>(kind)];
}

std::size_t count_of(const Plan& plan, ChoiceKind kind) {
  std::size_t count = 0;
  switch (kind) {
    case ChoiceKind::table:
      return plan.tables.size() > 1 ? plan.tables.size() : 0;  // a plan has a table
    case ChoiceKind::shape:
      return plan.specs.size();
    case ChoiceKind::client:
      return plan.clients.size();
    case ChoiceKind::restart:
      return plan.restarts.size();
    case ChoiceKind::fault:
      return plan.faults.size();
    case ChoiceKind::probe:
      return plan.probes.size();
    case ChoiceKind::removal:
      return plan.removals.size();
    case ChoiceKind::alteration:
      return plan.alterations.size();
    case ChoiceKind::calm_commit:
      return plan.calm_commits;
    case ChoiceKind::calm_death:
      return plan.calm_deaths;
    case ChoiceKind::transaction:
      return plan.transactions.size();
    case ChoiceKind::statement:
      for (const auto& transaction : plan.transactions) count += transaction.statements.size();
      return count;
    case ChoiceKind::initial_row:
      return plan.initial_rows.size();
    case ChoiceKind::knob:
      each_knob(plan.knobs, [&](const char*, const auto& value, const auto& usual) {
        count += value == usual ? 0 : 1;
      });
      return count;
    case ChoiceKind::decision:
      return plan.decisions.size();
    case ChoiceKind::column:
      for (const TableDefinition& table : plan.tables)
        for (const auto& column : table.columns) count += can_go(plan, table, column) ? 1 : 0;
      return count;
    case ChoiceKind::cell:
      each_row(plan, [&](const Statement& statement) {
        for (std::size_t i = 0; i < statement.set.size(); ++i)
          count += can_go(statement, i) ? 1 : 0;
      });
      return count;
  }
  return count;
}

Plan without(const Plan& plan, ChoiceKind kind, std::size_t first, std::size_t last) {
  Plan less = plan;
  if (kind == ChoiceKind::table && last - first == plan.tables.size()) --last;  // one stays
  drop(less, kind, [&](std::size_t index) { return index >= first && index < last; });
  return less;
}

std::string ChoiceCounts::to_text() const {
  return std::to_string(total()) + (total() == 1 ? " choice: " : " choices: ") +
         std::to_string(workload) + " workload, " + std::to_string(faults) + " faults, " +
         std::to_string(knobs) + " knobs, " + std::to_string(schedule) + " schedule";
}

ChoiceCounts count_choices(const Plan& plan) {
  ChoiceCounts counts;
  counts.workload = plan.specs.size() + plan.clients.size() + plan.initial_rows.size() +
                    plan.removals.size() + plan.alterations.size() + plan.probes.size() +
                    plan.calm_commits + count_of(plan, ChoiceKind::statement);
  counts.faults = plan.restarts.size() + plan.faults.size() + plan.calm_deaths;
  counts.knobs = count_of(plan, ChoiceKind::knob);
  counts.schedule = plan.decisions.size();
  return counts;
}

}  // namespace holdfast::scenarios
