#include "sim/postgres/statement_executor.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {
namespace {

using holdfast::postgres::ChangeKind;

ExecuteResult failed(SqlError error) {
  return {ExecuteOutcome::error, std::move(error), 0};
}

ExecuteResult blocked() {
  return {ExecuteOutcome::blocked, {}, 0};
}

SqlError no_table(const RelationName& name) {
  return {"42P01", "relation \"" + name.schema + "." + name.table + "\" does not exist"};
}

SqlError no_column(const TableVersion& table, const std::string& column) {
  return {"42703",
          "column \"" + column + "\" of relation \"" + table.name.table + "\" does not exist"};
}

SqlResult<Value> read_cell(const Column& column, const std::optional<std::string>& text) {
  if (!text) return Value::null_of(column.type);
  return read_value(column.type, *text);
}

std::size_t slots_of(const TableVersion& table) {
  std::size_t slots = 0;
  for (const Column& column : table.columns) slots = std::max<std::size_t>(slots, column.slot + 1U);
  return slots;
}

using NewCells = std::vector<std::pair<const Column*, Value>>;

/// What the parser makes of a SET list, before any row is looked at.
SqlResult<NewCells> read_set(const TableVersion& table, const std::vector<ColumnText>& set) {
  NewCells cells;
  for (const auto& [name, text] : set) {
    const int at = table.find_column(name);
    if (at < 0) return Failure<SqlError>{no_column(table, name)};
    const Column& column = table.columns[static_cast<std::size_t>(at)];
    auto value = read_cell(column, text);
    if (!value) return value.failure();
    cells.emplace_back(&column, std::move(*value));
  }
  return cells;
}

/// `base` with new cells, checked against the table.
SqlResult<RowRef> make_row(const TableVersion& table, Row base, const NewCells& cells) {
  base.values.resize(slots_of(table));
  base.texts.resize(base.values.size());
  for (const auto& [column, value] : cells) {
    base.texts[column->slot] = value.null ? std::string() : print_value(value);
    base.values[column->slot] = value;
  }
  for (const Column& column : table.columns) {
    if (!base.values[column.slot].null || (!column.not_null && column.key_position == 0)) continue;
    return Failure<SqlError>{{"23502", "null value in column \"" + column.name +
                                           "\" of relation \"" + table.name.table +
                                           "\" violates not-null constraint"}};
  }
  return RowRef(std::make_shared<const Row>(std::move(base)));
}

std::size_t row_bytes(const Row& row) {
  std::size_t bytes = 24 + 2 * row.texts.size();
  for (const std::string& text : row.texts) bytes += text.size();
  return bytes;
}

/// UPDATE and DELETE on a published table need something to identify the row by.
std::optional<SqlError> identity_error(const TableVersion& table, StatementKind kind) {
  const bool identifies = table.identity == ReplicaIdentity::full ||
                          (table.identity == ReplicaIdentity::by_default && !table.key.empty());
  if (table.publications.empty() || identifies) return std::nullopt;
  const std::string verb = kind == StatementKind::update ? "update" : "delete from";
  const std::string plural = kind == StatementKind::update ? "updates" : "deletes";
  return SqlError{"55000", "cannot " + verb + " table \"" + table.name.table +
                               "\" because it does not have a replica identity and publishes " +
                               plural};
}

bool held_by_other(const RowVersion& version, const Transaction& self) {
  return version.deleted != nullptr && version.deleted != &self && version.deleted->running();
}

}  // namespace

ExecuteResult StatementExecutor::execute(Transaction& transaction, const Statement& statement) {
  const auto found = tables_.find(statement.table);
  if (found == tables_.end()) return failed(no_table(statement.table));
  Table& table = *found->second;
  if (statement.kind == StatementKind::truncate) return truncate(transaction, statement);
  const bool held = table.lock().writes(&transaction);
  if (!lock_shared(transaction, table)) return blocked();
  ExecuteResult result = statement.kind == StatementKind::insert
                             ? insert(transaction, table, statement)
                             : modify(transaction, table, statement);
  if (result.outcome == ExecuteOutcome::blocked && !held)
    std::erase(table.lock().writers, &transaction);  // nothing happened
  return result;
}

void StatementExecutor::release_locks(const Transaction& transaction) {
  for (auto& [name, table] : tables_) {
    std::erase(table->lock().writers, &transaction);
    if (table->lock().exclusive == &transaction) table->lock().exclusive = nullptr;
  }
}

bool StatementExecutor::lock_shared(Transaction& transaction, Table& table) {
  TableLock& lock = table.lock();
  if (lock.exclusive != nullptr && lock.exclusive != &transaction) return false;
  if (lock.writes(&transaction)) return true;
  if (lock.exclusive_waiting > 0) return false;
  lock.writers.push_back(&transaction);
  return true;
}

StatementExecutor::KeyState StatementExecutor::key_state(const Transaction& transaction,
                                                         const Table& table,
                                                         const std::string& key) const {
  const auto* versions = table.with_key(key);
  if (versions == nullptr) return KeyState::free;
  for (const std::size_t index : *versions) {
    const RowVersion& version = table.versions()[index];
    if (version.created->dead()) continue;
    if (version.created != &transaction && version.created->running()) return KeyState::locked;
    if (version.deleted == nullptr || version.deleted->dead()) return KeyState::taken;
    if (held_by_other(version, transaction)) return KeyState::locked;
  }
  return KeyState::free;
}

ExecuteResult StatementExecutor::insert(Transaction& transaction, Table& table,
                                        const Statement& statement) {
  const TableVersion& version = *table.current();
  const auto cells = read_set(version, statement.set);
  if (!cells) return failed(cells.error());
  auto row = make_row(version, Row{}, *cells);
  if (!row) return failed(row.error());
  assign_xid(transaction);
  if (!version.key.empty()) {
    const KeyState state = key_state(transaction, table, table.key_of(**row));
    if (state == KeyState::locked) return blocked();
    if (state == KeyState::taken) {
      wal_.append(row_bytes(**row));  // the heap row went in before the index refused it
      return failed({"23505", "duplicate key value violates unique constraint \"" +
                                  version.name.table + "_pkey\""});
    }
  }
  table.add({*row, &transaction, nullptr});
  LoggedChange change;
  change.kind = ChangeKind::insert;
  change.table = table.current();
  change.new_row = *row;
  log(transaction, std::move(change));
  return {ExecuteOutcome::ok, {}, 1};
}

bool StatementExecutor::row_matches(
    const TableVersion& version, const Row& row,
    const std::vector<std::pair<std::uint16_t, Value>>& where) const {
  for (const auto& [position, wanted] : where) {
    const std::uint16_t slot = version.columns[position].slot;
    if (wanted.null != row.is_null(slot)) return false;
    if (!wanted.null && compare_values(row.values[slot], wanted) != 0) return false;
  }
  return true;
}

SqlResult<std::vector<std::size_t>> StatementExecutor::find_rows(const Transaction& transaction,
                                                                 const Table& table,
                                                                 const Statement& statement) const {
  const TableVersion& version = *table.current();
  std::vector<std::pair<std::uint16_t, Value>> where;
  for (const auto& [name, text] : statement.where) {
    const int at = version.find_column(name);
    if (at < 0) return Failure<SqlError>{no_column(version, name)};
    auto value = read_cell(version.columns[static_cast<std::size_t>(at)], text);
    if (!value) return value.failure();
    where.emplace_back(static_cast<std::uint16_t>(at), std::move(*value));
  }

  const Snapshot snapshot = transactions_.snapshot();
  const auto visible = [&](const RowVersion& row) {
    const auto counts = [&](const Transaction* other) {
      return other == &transaction || sees(snapshot, *other);
    };
    return counts(row.created) && (row.deleted == nullptr || !counts(row.deleted));
  };
  std::vector<std::size_t> rows;
  const auto consider = [&](std::size_t index) {
    const RowVersion& row = table.versions()[index];
    if (visible(row) && row_matches(version, *row.row, where)) rows.push_back(index);
  };

  std::string key;
  for (const std::uint16_t position : version.key) {
    const auto part = std::find_if(where.begin(), where.end(), [&](const auto& condition) {
      return condition.first == position && !condition.second.null;
    });
    if (part == where.end()) {
      key.clear();
      break;
    }
    append_key_part(key, part->second);
  }
  if (!key.empty()) {
    if (const auto* candidates = table.with_key(key))
      for (const std::size_t index : *candidates) consider(index);
  } else {
    for (std::size_t index = 0; index < table.versions().size(); ++index) consider(index);
  }
  return rows;
}

ExecuteResult StatementExecutor::modify(Transaction& transaction, Table& table,
                                        const Statement& statement) {
  const auto cells = read_set(*table.current(), statement.set);
  if (!cells) return failed(cells.error());
  const auto rows = find_rows(transaction, table, statement);
  if (!rows) return failed(rows.error());
  if (auto error = identity_error(*table.current(), statement.kind))
    return failed(std::move(*error));
  if (rows->empty()) return {};
  assign_xid(transaction);
  for (const std::size_t index : *rows)
    if (held_by_other(table.versions()[index], transaction)) return blocked();
  if (statement.kind == StatementKind::update)
    return apply_update(transaction, table, statement, *rows);
  erase_rows(transaction, table, *rows);
  return {ExecuteOutcome::ok, {}, rows->size()};
}

ExecuteResult StatementExecutor::apply_update(Transaction& transaction, Table& table,
                                              const Statement& statement,
                                              const std::vector<std::size_t>& rows) {
  const auto cells = read_set(*table.current(), statement.set);
  ASSERT(cells.ok(), "the SET list was read before");
  std::vector<RowRef> new_rows;
  for (const std::size_t index : rows) {
    auto row = make_row(*table.current(), *table.versions()[index].row, *cells);
    if (!row) return failed(row.error());
    new_rows.push_back(std::move(*row));
  }
  const bool has_key = !table.current()->key.empty();
  const auto new_key = [&](std::size_t i) -> std::optional<std::string> {
    std::string key = has_key ? table.key_of(*new_rows[i]) : std::string();
    if (!has_key || key == table.key_of(*table.versions()[rows[i]].row)) return std::nullopt;
    return key;
  };
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (const auto key = new_key(i); key && key_state(transaction, table, *key) == KeyState::locked)
      return blocked();

  for (std::size_t i = 0; i < rows.size(); ++i) {
    RowVersion& old = table.at(rows[i]);
    const RowRef old_row = old.row;
    const auto key = new_key(i);
    old.deleted = &transaction;
    if (key && key_state(transaction, table, *key) == KeyState::taken)
      return failed({"23505", "duplicate key value violates unique constraint \"" +
                                  table.current()->name.table + "_pkey\""});
    table.add({new_rows[i], &transaction, nullptr});
    LoggedChange change;
    change.kind = ChangeKind::update;
    change.table = table.current();
    change.old_row = old_row;
    change.new_row = new_rows[i];
    if (toast_bytes_ > 0) {
      change.unchanged.resize(new_rows[i]->texts.size());
      for (const Column& column : table.current()->columns) {
        const bool is_set = std::any_of(statement.set.begin(), statement.set.end(),
                                        [&](const auto& one) { return one.first == column.name; });
        change.unchanged[column.slot] =
            !is_set && new_rows[i]->texts[column.slot].size() >= toast_bytes_;
      }
    }
    log(transaction, std::move(change));
  }
  return {ExecuteOutcome::ok, {}, rows.size()};
}

void StatementExecutor::erase_rows(Transaction& transaction, Table& table,
                                   const std::vector<std::size_t>& rows) {
  for (const std::size_t index : rows) {
    RowVersion& version = table.at(index);
    version.deleted = &transaction;
    LoggedChange change;
    change.kind = ChangeKind::erase;
    change.table = table.current();
    change.old_row = version.row;
    log(transaction, std::move(change));
  }
}

ExecuteResult StatementExecutor::truncate(Transaction& transaction, const Statement& statement) {
  std::vector<Table*> tables;
  std::vector<RelationName> names = {statement.table};
  names.insert(names.end(), statement.also.begin(), statement.also.end());
  for (const RelationName& name : names) {
    const auto found = tables_.find(name);
    if (found == tables_.end()) return failed(no_table(name));
    const TableLock& lock = found->second->lock();
    const bool excluded = lock.exclusive != nullptr && lock.exclusive != &transaction;
    if (excluded || lock.others_write(&transaction) || lock.readers > 0 ||
        (lock.exclusive_waiting > 0 && !lock.writes(&transaction) && lock.exclusive == nullptr))
      return blocked();
    if (std::find(tables.begin(), tables.end(), found->second.get()) == tables.end())
      tables.push_back(found->second.get());
  }
  assign_xid(transaction);
  LoggedChange change;
  change.kind = ChangeKind::truncate;
  change.table = tables.front()->current();
  for (Table* table : tables) {
    table->lock().exclusive = &transaction;
    change.truncated.push_back(table->current());
    table->truncate(transaction);
  }
  log(transaction, std::move(change));
  return {ExecuteOutcome::ok, {}, 0};
}

void StatementExecutor::log(Transaction& transaction, LoggedChange change) {
  std::size_t bytes = 16;
  if (change.new_row) bytes += row_bytes(*change.new_row);
  if (change.old_row && change.table->identity == ReplicaIdentity::full)
    bytes += row_bytes(*change.old_row);
  if (change.kind == ChangeKind::truncate) bytes += 8 * change.truncated.size();
  const WalSpan span = wal_.append(bytes);
  change.lsn = span.start;
  if (transaction.first_record_end.value == 0) transaction.first_record_end = span.end;
  transaction.changes.push_back(std::move(change));
  // The index entry of a new key, a record of its own.
  if (transaction.changes.back().kind == ChangeKind::insert) wal_.append(40);
}

}  // namespace holdfast::sim::postgres
