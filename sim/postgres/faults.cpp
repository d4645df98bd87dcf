// The parts of PostgresModel that change the catalogue or break something.
#include <algorithm>

#include "sim/postgres/model.hpp"
#include "sim/postgres/sessions.hpp"
#include "sim/postgres/state.hpp"

namespace holdfast::sim::postgres {
namespace {

bool idle(const Table& table) {
  const TableLock& lock = table.lock();
  return lock.writers.empty() && lock.readers == 0 && lock.exclusive == nullptr &&
         lock.exclusive_waiting == 0;
}

/// Whether columns differ in nothing but what they may hold.
bool same_rows(std::vector<Column> a, const std::vector<Column>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) a[i].not_null = b[i].not_null;
  return a == b;
}

}  // namespace

// -- catalogue ------------------------------------------------------------------------------------

Oid PostgresModel::create_table(TableDefinition definition) {
  const RelationName name = definition.name;
  ASSERT(state_->find_table(name) == nullptr, "a table is created once");
  const Oid oid{state_->next_oid};
  state_->next_oid += 5;  // its row type, its TOAST table and their indexes take oids too
  TableVersion version = make_table(std::move(definition), oid);
  state_->tables.emplace(
      name, std::make_unique<Table>(std::make_shared<const TableVersion>(std::move(version))));
  state_->forget_compiled();
  state_->note_form(name, state_->commit_catalog_change(oid));
  return oid;
}

bool PostgresModel::drop_table(const RelationName& name) {
  const Table* table = state_->find_table(name);
  if (table == nullptr || !idle(*table)) return false;
  const Oid oid = table->current()->oid;
  state_->dropped_tables.push_back(std::move(state_->tables.extract(name).mapped()));
  state_->forget_compiled();
  state_->note_form(name, state_->commit_catalog_change(oid));
  return true;
}

bool PostgresModel::rename_table(const RelationName& from, const RelationName& to) {
  Table* table = state_->find_table(from);
  if (table == nullptr || !idle(*table) || state_->find_table(to) != nullptr) return false;
  auto node = state_->tables.extract(from);
  node.key() = to;
  state_->tables.insert(std::move(node));
  TableVersion version = *table->current();
  version.name = to;
  state_->change_table(*table, std::move(version));
  const Transaction& by = state_->commit_catalog_change(table->current()->oid);
  state_->note_form(from, by);
  state_->note_form(to, by);
  return true;
}

bool PostgresModel::alter(const RelationName& name,
                          const std::function<void(TableVersion&)>& change) {
  Table* table = state_->find_table(name);
  if (table == nullptr || !idle(*table)) return false;
  TableVersion version = *table->current();
  change(version);
  // A table that may hold NULL, or no more, is the same to all who read it.
  const bool columns_change = !same_rows(version.columns, table->current()->columns);
  state_->change_table(*table, std::move(version));
  const Transaction& by = state_->commit_catalog_change(table->current()->oid);
  if (columns_change) state_->note_form(name, by);
  return true;
}

bool PostgresModel::add_column(const RelationName& name, Column column) {
  ASSERT(column.key_position == 0 && !column.not_null,
         "a column added to a table with rows is NULL in them");
  Table* table = state_->find_table(name);
  if (table == nullptr || table->current()->find_column(column.name) >= 0) return false;
  // Slots of dropped columns stay taken: old rows still have cells there.
  if (!idle(*table)) return false;
  column.slot = table->take_slot();
  column.number = table->take_column_number();
  return alter(name, [&](TableVersion& version) { version.columns.push_back(column); });
}

bool PostgresModel::change_type(const RelationName& name, const std::string& column, TypeId type) {
  Table* table = state_->find_table(name);
  const int at = table == nullptr ? -1 : table->current()->find_column(column);
  if (at < 0 || !idle(*table)) return false;
  const Column& old = table->current()->columns[static_cast<std::size_t>(at)];
  ASSERT(old.key_position == 0 && family(old.type) == TypeFamily::number &&
             family(type) == TypeFamily::number,
         "a column of numbers becomes another one");
  const std::uint16_t slot = table->take_slot();
  const auto rewritten = table->rewrite([&](const Row& row) -> SqlResult<RowRef> {
    Row copy = row;
    copy.values.resize(slot + 1U);
    copy.texts.resize(slot + 1U);
    copy.values[slot] = Value::null_of(type);
    if (!row.is_null(old.slot)) {
      auto value = cast_value(row.values[old.slot], type);
      if (!value) return value.failure();
      copy.texts[slot] = print_value(*value);
      copy.values[slot] = std::move(*value);
    }
    return RowRef(std::make_shared<const Row>(std::move(copy)));
  });
  if (!rewritten) return false;
  return alter(name, [&](TableVersion& version) {
    version.columns[static_cast<std::size_t>(at)].type = type;
    version.columns[static_cast<std::size_t>(at)].slot = slot;
  });
}

bool PostgresModel::drop_column(const RelationName& name, const std::string& column) {
  const Table* table = state_->find_table(name);
  const int at = table == nullptr ? -1 : table->current()->find_column(column);
  if (at < 0 || table->current()->columns[static_cast<std::size_t>(at)].key_position != 0)
    return false;
  return alter(name, [&](TableVersion& version) {
    version.columns.erase(version.columns.begin() + at);
    for (std::uint16_t& position : version.key)
      if (position > at) --position;
  });
}

bool PostgresModel::rename_column(const RelationName& name, const std::string& from,
                                  const std::string& to) {
  const Table* table = state_->find_table(name);
  const int at = table == nullptr ? -1 : table->current()->find_column(from);
  if (at < 0 || table->current()->find_column(to) >= 0) return false;
  return alter(name, [&](TableVersion& version) {
    version.columns[static_cast<std::size_t>(at)].name = to;
  });
}

bool PostgresModel::set_not_null(const RelationName& name, const std::string& column,
                                 bool not_null) {
  const Table* table = state_->find_table(name);
  const int at = table == nullptr ? -1 : table->current()->find_column(column);
  if (at < 0 || !idle(*table)) return false;
  const Column& old = table->current()->columns[static_cast<std::size_t>(at)];
  ASSERT(old.key_position == 0, "a column of the key is NOT NULL");
  const auto holds_null = [&](const RowVersion& version) {
    const bool alive =
        !version.created->dead() && (version.deleted == nullptr || version.deleted->dead());
    return alive && version.row->is_null(old.slot);
  };
  const auto& versions = table->versions();
  if (not_null && std::any_of(versions.begin(), versions.end(), holds_null)) return false;
  return alter(name, [&](TableVersion& version) {
    version.columns[static_cast<std::size_t>(at)].not_null = not_null;
  });
}

bool PostgresModel::set_replica_identity(const RelationName& name, ReplicaIdentity identity) {
  const Table* table = state_->find_table(name);
  // Said once more, it changes nothing in the catalogue.
  if (table != nullptr && idle(*table) && table->current()->identity == identity) return true;
  return alter(name, [&](TableVersion& version) { version.identity = identity; });
}

void PostgresModel::create_publication(const std::string& publication) {
  state_->make_publication(publication);
}

bool PostgresModel::has_publication(const std::string& publication) const {
  return state_->publications.contains(publication);
}

void PostgresModel::drop_publication(const std::string& publication) {
  if (state_->publications.erase(publication) == 0) return;
  for (auto& [name, table] : state_->tables) {
    TableVersion version = *table->current();
    if (version.publications.erase(publication) != 0)
      state_->change_table(*table, std::move(version));
  }
  state_->commit_catalog_change({});
  state_->wal.note_publication_dropped(publication);
}

void PostgresModel::add_to_publication(const std::string& publication, const RelationName& name) {
  Table* table = state_->find_table(name);
  ASSERT(table != nullptr && state_->publications.count(publication) != 0,
         "table and publication exist");
  TableVersion version = *table->current();
  if (!version.publications.emplace(publication, state_->transactions.next_xid()).second) return;
  state_->change_table(*table, std::move(version));
  state_->commit_catalog_change({});
}

void PostgresModel::remove_from_publication(const std::string& publication,
                                            const RelationName& name) {
  Table* table = state_->find_table(name);
  ASSERT(table != nullptr, "the table exists");
  TableVersion version = *table->current();
  if (version.publications.erase(publication) == 0) return;
  state_->change_table(*table, std::move(version));
  state_->commit_catalog_change({});
}

std::vector<RelationName> PostgresModel::published(const std::string& publication) const {
  std::vector<RelationName> names;
  for (const auto& [name, table] : state_->tables)
    if (table->current()->publications.count(publication) != 0) names.push_back(name);
  return names;
}

bool PostgresModel::set_readable(const RelationName& name, bool readable) {
  return alter(name, [&](TableVersion& version) { version.readable = readable; });
}

std::optional<holdfast::postgres::RelationInfo> PostgresModel::describe(
    const RelationName& name) const {
  const Table* table = state_->find_table(name);
  if (table == nullptr) return std::nullopt;
  return table->current()->to_info();
}

// -- faults ---------------------------------------------------------------------------------------

void PostgresModel::end_sessions(std::optional<unsigned> instance, HalfOpen half_open,
                                 const char* reason) {
  const auto current = state_->backends;  // close() changes the list
  for (const BackendRef& backend : current) {
    if (instance && backend->instance != *instance) continue;
    if (half_open == HalfOpen::no)
      state_->close(*backend, reason);
    else if (!backend->client_gone)
      backend->client_gone = state_->now();
  }
  state_->wake(state_->stream_waiters);
  state_->wake(state_->lock_waiters);
}

void PostgresModel::disconnect_all(HalfOpen half_open) {
  end_sessions(std::nullopt, half_open, "server closed the connection unexpectedly");
}

void PostgresModel::disconnect(unsigned instance, HalfOpen half_open) {
  end_sessions(instance, half_open, "server closed the connection unexpectedly");
}

void PostgresModel::set_reachable(unsigned instance, bool reachable) {
  if (reachable)
    state_->unreachable.erase(instance);
  else
    state_->unreachable.insert(instance);
}

std::size_t PostgresModel::crash_and_restart(SlotsAfterCrash slots) {
  end_sessions(std::nullopt, HalfOpen::no, "the server crashed");
  state_->sessions.clear();
  const std::size_t lost = state_->transactions.crash(state_->wal.flushed());
  state_->wal.crash();
  // Who was queueing has not heard of the crash yet, and leaves the queue when it does.
  for (auto& [name, table] : state_->tables) {
    const unsigned queueing = table->lock().exclusive_waiting;
    table->lock() = {};
    table->lock().exclusive_waiting = queueing;
  }
  state_->advisory_locks.clear();
  if (slots == SlotsAfterCrash::back_to_checkpoint)
    for (auto& [name, slot] : state_->slots) slot.confirmed_flush = slot.checkpointed_flush;
  checkpoint();  // the end of recovery
  state_->wake(state_->lock_waiters);
  return lost;
}

void PostgresModel::promote_standby(StandbySlots slots) {
  crash_and_restart(slots == StandbySlots::behind ? SlotsAfterCrash::back_to_checkpoint
                                                  : SlotsAfterCrash::keep);
  if (slots == StandbySlots::missing) state_->slots.clear();
  ++state_->identity.timeline;
}

void PostgresModel::fall_silent(Duration found_after) {
  for (const BackendRef& backend : state_->backends) {
    if (backend->client_gone) continue;
    backend->client_gone = state_->now();
    backend->client_finds_out = state_->now() + found_after;
  }
  state_->wake(state_->stream_waiters);
  state_->wake(state_->lock_waiters);
}

void PostgresModel::begin_shutdown() {
  state_->shutting_down = true;
  const auto current = state_->backends;  // close() changes the list
  for (const BackendRef& backend : current)
    if (!backend->walsender)
      state_->close(*backend, "terminating connection due to administrator command");
  // A commit whose record is written has happened, whatever its session still waits for.
  const auto open = state_->sessions;
  for (const auto& [id, session] : open)
    if (!session.failed && session.transaction->state == TransactionState::logged)
      show_commit({id});
    else
      rollback({id});
  state_->flush_wal();
  const auto streaming = state_->backends;
  for (const BackendRef& backend : streaming) state_->end_walsender_if_done(*backend);
}

bool PostgresModel::has_shut_down() const {
  return state_->shutting_down && state_->backends.empty();
}

void PostgresModel::start_again() {
  ASSERT(state_->shutting_down, "who starts again was shut down");
  end_sessions(std::nullopt, HalfOpen::no, "the server has shut down");
  checkpoint();
  state_->shutting_down = false;
}

void PostgresModel::slow_queries(Instant until) {
  state_->slow_until = until;
}

void PostgresModel::flood_keepalives(Instant until) {
  state_->flood_until = until;
  state_->wake(state_->stream_waiters);
}

const TroubleCounts& PostgresModel::trouble() const {
  return state_->trouble;
}

void PostgresModel::invalidate_slot(const std::string& name) {
  const auto found = state_->slots.find(name);
  if (found == state_->slots.end()) return;
  found->second.invalidated = true;
  const Backend* active = found->second.active;
  const auto backend =
      std::find_if(state_->backends.begin(), state_->backends.end(),
                   [active](const BackendRef& one) { return one.get() == active; });
  if (backend == state_->backends.end()) return;
  const BackendRef victim = *backend;
  state_->close(*victim, "terminating process to release replication slot \"" + name + "\"");
}

bool PostgresModel::drop_slot(const std::string& name) {
  const auto found = state_->slots.find(name);
  if (found == state_->slots.end() || found->second.active != nullptr) return false;
  state_->slots.erase(found);
  return true;
}

void PostgresModel::make_slot(const std::string& name) {
  ASSERT(state_->slots.count(name) == 0, "a slot is made once");
  ASSERT(state_->transactions.running().empty(), "a slot is made when nobody is writing");
  state_->make_slot(name);
}

}  // namespace holdfast::sim::postgres
