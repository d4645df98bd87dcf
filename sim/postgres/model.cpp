#include "sim/postgres/model.hpp"

#include "sim/postgres/membership_history.hpp"
#include "sim/postgres/reader.hpp"
#include "sim/postgres/repeated_query.hpp"
#include "sim/postgres/sessions.hpp"
#include "sim/postgres/state.hpp"

namespace holdfast::sim::postgres {

bool VisibleSet::contains(const Transaction& transaction) const {
  const bool committed = transaction.state == TransactionState::committed ||
                         transaction.state == TransactionState::logged;
  if (!committed) return false;
  return transaction.commit_lsn <= up_to || (snapshot && sees(*snapshot, transaction));
}

PostgresModel::PostgresModel(ModelOptions options, ModelHooks hooks)
    : state_(std::make_unique<ModelState>(std::move(options), std::move(hooks))) {}

PostgresModel::~PostgresModel() = default;

env::Database& PostgresModel::database(unsigned instance) {
  auto& database = databases_[instance];
  if (!database) database = std::make_unique<ModelDatabase>(*state_, instance);
  return *database;
}

// -- workload -------------------------------------------------------------------------------------

Session PostgresModel::begin() {
  const std::uint64_t id = state_->next_session++;
  if (state_->shutting_down) return {id};  // refused, which its first statement tells
  state_->sessions[id].transaction = &state_->transactions.begin();
  return {id};
}

bool PostgresModel::open(Session session) const {
  return state_->sessions.count(session.id) != 0;
}

ExecuteResult PostgresModel::execute(Session session, const Statement& statement) {
  state_->advance();
  const auto found = state_->sessions.find(session.id);
  if (found == state_->sessions.end())
    return {ExecuteOutcome::error, {"08006", "server closed the connection unexpectedly"}, 0};
  if (found->second.failed)
    return {ExecuteOutcome::error,
            {"25P02",
             "current transaction is aborted, commands ignored until end of transaction "
             "block"},
            0};
  ExecuteResult result = state_->executor.execute(*found->second.transaction, statement);
  if (result.outcome == ExecuteOutcome::error) {
    // The transaction is over at once, its locks are free; only the session has yet to be told.
    found->second.failed = true;
    state_->abort(*found->second.transaction);
  }
  state_->note_wal();
  return result;
}

CommitResult PostgresModel::commit(Session session, Synchronous synchronous) {
  const auto pause = [&](const char* label) {
    const auto found = state_->sessions.find(session.id);
    if (found == state_->sessions.end() || !state_->hooks.pause) return;
    state_->hooks.pause(label, session.id, found->second.pauses++);
    state_->advance();
  };
  pause("pg.commit");
  const CommitResult result = log_commit(session, synchronous);
  if (!result.committed) return result;
  pause("pg.commit.visible");
  // A crash in between ends the session; what was flushed is committed all the same.
  show_commit(session);
  return result;
}

CommitResult PostgresModel::log_commit(Session session, Synchronous synchronous) {
  const auto found = state_->sessions.find(session.id);
  if (found == state_->sessions.end()) return {};
  Transaction& transaction = *found->second.transaction;
  if (found->second.failed) {
    rollback(session);
    return {};
  }
  CommitResult result;
  result.committed = true;
  if (!state_->log_commit(transaction)) return result;
  if (synchronous == Synchronous::on) state_->flush_wal();
  result.xid = transaction.xid;
  result.commit_lsn = transaction.commit_lsn;
  result.end_lsn = transaction.end_lsn;
  return result;
}

void PostgresModel::show_commit(Session session) {
  const auto found = state_->sessions.find(session.id);
  if (found == state_->sessions.end()) return;
  Transaction& transaction = *found->second.transaction;
  ASSERT(transaction.xid.value == 0 || transaction.state == TransactionState::logged,
         "a transaction becomes visible after its commit record");
  state_->sessions.erase(found);
  state_->end_transaction(transaction, TransactionState::committed);
}

void PostgresModel::rollback(Session session) {
  const auto found = state_->sessions.find(session.id);
  if (found == state_->sessions.end()) return;
  Transaction& transaction = *found->second.transaction;
  const bool failed = found->second.failed;
  ASSERT(failed || transaction.state == TransactionState::in_progress,
         "a transaction whose commit record is written cannot be rolled back");
  state_->sessions.erase(found);
  if (!failed) state_->abort(transaction);
}

void PostgresModel::write_unrelated_wal(std::size_t bytes) {
  state_->wal.append(bytes);
  state_->note_wal();
}

void PostgresModel::flush_wal() {
  state_->flush_wal();
}

void PostgresModel::checkpoint() {
  state_->wal.append(90);
  state_->flush_wal();
  for (auto& [name, slot] : state_->slots) slot.checkpointed_flush = slot.confirmed_flush;
}

void PostgresModel::tick() {
  state_->advance();
}

void PostgresModel::move_time(Duration by) {
  ASSERT(state_->hooks.clock == nullptr, "a clock moves by itself");
  state_->manual_now = state_->manual_now + by;
  state_->advance();
}

// -- what the oracle asks -------------------------------------------------------------------------

SqlResult<RowMap> PostgresModel::rows(const RelationName& name,
                                      const std::vector<std::string>& columns,
                                      const std::string& condition,
                                      const VisibleSet& visible) const {
  return rows(name, columns, condition,
              [&visible](const Transaction& one) { return visible.contains(one); });
}

namespace {

SqlResult<RowMap> read_map(ModelState& state, const Table& table, const TableVersion& version,
                           const std::vector<std::string>& columns, const WhereClause* condition,
                           const TransactionPredicate& visible) {
  const auto slots = find_slots(version, columns);
  if (!slots) return slots.failure();
  const auto rows = read_rows(state, table, condition, visible, TruncatedRows::keep);
  if (!rows) return rows.failure();
  RowMap map;
  for (const RowRef& row : *rows)
    map.insert_or_assign(key_texts(version, *row), cell_texts(*slots, *row));
  return map;
}

}  // namespace

SqlResult<RowMap> PostgresModel::rows(
    const RelationName& name, const std::vector<std::string>& columns, const std::string& condition,
    const std::function<bool(const Transaction&)>& visible) const {
  const Table* table = state_->find_table(name);
  if (table == nullptr)
    return Failure<SqlError>{
        {"42P01", "relation \"" + name.schema + "." + name.table + "\" does not exist"}};
  const auto compiled = state_->compile(*table, condition);
  if (!compiled) return compiled.failure();
  return read_map(*state_, *table, *table->current(), columns, compiled->get(), visible);
}

SqlResult<RowMap> PostgresModel::rows(const TableForm& form,
                                      const std::vector<std::string>& columns,
                                      const std::string& condition,
                                      const VisibleSet& visible) const {
  ASSERT(form.table != nullptr, "rows are those of a table");
  const auto compiled = state_->compile(*form.version, condition);
  if (!compiled) return compiled.failure();
  return read_map(*state_, *form.table, *form.version, columns, compiled->get(),
                  [&visible](const Transaction& one) { return visible.contains(one); });
}

const std::vector<TableForm>& PostgresModel::forms(const RelationName& name) const {
  return state_->forms[name];
}

std::unique_ptr<RepeatedQuery> PostgresModel::repeat(
    const TableForm& form, const std::vector<std::string>& columns, const std::string& condition,
    std::function<Hash128(const RowKey&, const RowCells&)> hash) const {
  ASSERT(form.table != nullptr, "rows are those of a table");
  return std::make_unique<RepeatedQuery>(*state_, form, columns, condition, std::move(hash));
}

std::unique_ptr<RepeatedQuery> PostgresModel::repeat(
    const RelationName& table, const std::vector<std::string>& columns,
    const std::string& condition,
    std::function<Hash128(const RowKey&, const RowCells&)> hash) const {
  return std::make_unique<RepeatedQuery>(*state_, table, columns, condition, std::move(hash));
}

std::unique_ptr<MembershipHistory> PostgresModel::membership_history(
    const RelationName& table, const std::vector<std::string>& columns,
    const std::string& condition) const {
  return std::make_unique<MembershipHistory>(*state_, table, columns, condition);
}

Snapshot PostgresModel::current_snapshot() const {
  Snapshot snapshot = state_->take_snapshot();
  snapshot.insert_lsn = state_->wal.insert_position();
  return snapshot;
}

Lsn PostgresModel::insert_position() const {
  return state_->wal.insert_position();
}
Lsn PostgresModel::flushed_position() const {
  return state_->wal.flushed();
}

std::optional<SlotReport> PostgresModel::slot(const std::string& name) const {
  const auto found = state_->slots.find(name);
  if (found == state_->slots.end()) return std::nullopt;
  const Slot& slot = found->second;
  SlotReport report{slot.created_at, slot.confirmed_flush, std::nullopt, slot.invalidated};
  if (slot.active != nullptr) report.active_pid = slot.active->pid;
  return report;
}

std::optional<std::uint32_t> PostgresModel::lock_holder(const std::string& name) const {
  const auto found = state_->advisory_locks.find(name);
  if (found == state_->advisory_locks.end() || found->second.holder == nullptr) return std::nullopt;
  return found->second.holder->pid;
}

std::vector<const Transaction*> PostgresModel::transactions() const {
  std::vector<const Transaction*> all;
  for (const auto& transaction : state_->transactions.all()) all.push_back(transaction.get());
  return all;
}

std::size_t PostgresModel::connected_backends() const {
  return state_->backends.size();
}

}  // namespace holdfast::sim::postgres
