#include <algorithm>

#include "sim/postgres/reader.hpp"
#include "sim/postgres/sessions.hpp"

namespace holdfast::sim::postgres {
namespace {

using env::DatabaseError;
using env::DatabaseFailure;
using holdfast::postgres::RowBatch;

constexpr const char* k_terminated = "terminating connection due to administrator command";

Failure<DatabaseError> error(DatabaseFailure kind, std::string sqlstate, std::string message) {
  return {DatabaseError{kind, std::move(sqlstate), std::move(message)}};
}

Failure<DatabaseError> sql_error(const SqlError& from) {
  const bool undefined =
      from.sqlstate == "42P01" || from.sqlstate == "42703" || from.sqlstate == "3F000";
  return error(undefined ? DatabaseFailure::undefined_object : DatabaseFailure::query,
               from.sqlstate, from.message);
}

Failure<DatabaseError> no_relation(const RelationName& name) {
  return error(DatabaseFailure::undefined_object, "42P01",
               "relation \"" + name.schema + "." + name.table + "\" does not exist");
}

/// In production's words.
Failure<DatabaseError> too_slow(Duration limit) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit);
  return error(DatabaseFailure::timeout, "55P03",
               "Snapshot query took too long to return data (cancelled after " +
                   std::to_string(milliseconds.count()) +
                   "ms). Please ensure snapshot queries are using an index to avoid taking up all "
                   "database connections.");
}

/// The session must outlive it, as env::QuerySession says.
class ModelSnapshotRead final : public env::SnapshotRead {
 public:
  ModelSnapshotRead(ModelState& state, ClientSession& client) : state_(state), client_(client) {}
  ~ModelSnapshotRead() override { state_.release_tables(client_.backend()); }
  ModelSnapshotRead(const ModelSnapshotRead&) = delete;
  ModelSnapshotRead& operator=(const ModelSnapshotRead&) = delete;

  /// Locks the table, then takes the snapshot. SUSPENDS.
  env::DatabaseResult<void> begin(const RelationName& table) {
    if (auto trip = client_.round_trip("pg.begin"); !trip) return trip;
    if (state_.options.lock_before_snapshot)
      if (auto locked = lock(table); !locked) return locked.failure();
    const Table* described = state_.find_table(table);
    if (described == nullptr) return no_relation(table);
    relation_ = described->current()->to_info();
    snapshot_ = state_.take_snapshot();
    // Fixed when its statement starts; the position is read later in that statement.
    if (auto trip = client_.round_trip("pg.snapshot.position"); !trip) return trip;
    snapshot_.insert_lsn = state_.wal.insert_position();
    return client_.round_trip("pg.snapshot.known");
  }

  const Snapshot& snapshot() const override { return snapshot_; }
  const holdfast::postgres::RelationInfo& relation() const override { return relation_; }

  env::DatabaseResult<void> start(const env::ShapeQuery& query) override {
    if (auto trip = client_.round_trip("pg.query"); !trip) return trip;
    const auto found = lock(query.table);
    if (!found) return found.failure();
    const Table* table = *found;
    auto slots = find_slots(*table->current(), query.columns);
    if (!slots) return sql_error(slots.error());
    if (auto others = lock_subselects(*table, query.condition); !others) return others;
    auto rows = read_rows(
        state_, *table, query.condition,
        [this](const Transaction& one) { return sees(snapshot_, one); }, TruncatedRows::gone);
    if (!rows) return sql_error(rows.error());
    slots_ = std::move(*slots);
    rows_ = std::move(*rows);
    next_row_ = 0;
    return {};
  }

  env::DatabaseResult<RowBatch> next() override {
    if (auto trip = client_.round_trip("pg.query.next"); !trip) return trip.failure();
    RowBatch batch(slots_.size());
    const std::size_t end = std::min(rows_.size(), next_row_ + state_.options.rows_per_batch);
    for (; next_row_ < end; ++next_row_) {
      const Row& row = *rows_[next_row_];
      for (const std::uint16_t slot : slots_) {
        if (row.is_null(slot))
          batch.add_cell(std::nullopt);
        else
          batch.add_cell(row.texts[slot]);
      }
    }
    return batch;
  }

  env::DatabaseResult<void> outlast_crashes() override {
    if (auto trip = client_.round_trip("pg.flushed"); !trip) return trip;
    if (state_.wal.flushed() >= snapshot_.insert_lsn) return {};
    // What is not flushed yet goes to disk with a commit that this transaction makes itself; with
    // it the locks are gone, while the rows may be on their way to the store yet.
    if (auto trip = client_.round_trip("pg.flush"); !trip) return trip;
    state_.commit_message();
    state_.release_tables(client_.backend());
    return client_.round_trip("pg.flush.done");
  }

 private:
  /// Shares the table's lock until the snapshot transaction ends. SUSPENDS.
  env::DatabaseResult<Table*> lock(const RelationName& name) {
    const auto unlocked = client_.wait_until(
        state_.lock_waiters, "pg.query.lock", state_.now() + state_.options.first_row_timeout, [&] {
          const Table* table = state_.find_table(name);
          return table == nullptr || table->lock().exclusive == nullptr;
        });
    if (!unlocked) return unlocked.failure();
    if (!*unlocked) return too_slow(state_.options.first_row_timeout);
    Table* table = state_.find_table(name);
    if (table == nullptr) return no_relation(name);
    if (!table->current()->readable)
      return error(DatabaseFailure::privilege, "42501",
                   "permission denied for table " + name.table);
    if (!locked(table)) {
      client_.backend().reading.push_back(table);
      ++table->lock().readers;
    }
    return table;
  }

  bool locked(const Table* table) const {
    const auto& reading = client_.backend().reading;
    return std::find(reading.begin(), reading.end(), table) != reading.end();
  }

  /// Locks the tables of the sub-selects, one by one; whoever was waited for may have changed those
  /// that are not locked yet. SUSPENDS.
  env::DatabaseResult<void> lock_subselects(const Table& table, const std::string& condition) {
    while (true) {
      const auto compiled = state_.compile(table, condition);
      if (!compiled) return sql_error(compiled.error());
      const auto name = unlocked_subselect(compiled->get());
      if (!name) return {};
      if (auto done = lock(*name); !done) return done.failure();
    }
  }

  std::optional<RelationName> unlocked_subselect(const WhereClause* condition) const {
    std::vector<const WhereClause*> nested{condition};
    while (!nested.empty()) {
      const WhereClause* one = nested.back();
      nested.pop_back();
      if (one == nullptr) continue;
      for (const SubSelect& subselect : one->subselects()) {
        if (!locked(state_.find_table(subselect.table))) return subselect.table;
        nested.push_back(subselect.condition.get());
      }
    }
    return std::nullopt;
  }

  ModelState& state_;
  ClientSession& client_;
  Snapshot snapshot_;
  holdfast::postgres::RelationInfo relation_;
  std::vector<std::uint16_t> slots_;
  std::vector<RowRef> rows_;
  std::size_t next_row_ = 0;
};

}  // namespace

ClientSession::~ClientSession() {
  // A half-open backend does not notice that its client has gone.
  if (!backend_->client_gone) state_.close(*backend_, "client closed the connection");
}

bool ClientSession::is_deaf() const {
  return backend_->client_finds_out && state_.now() < *backend_->client_finds_out;
}

void ClientSession::find_out(const char* label) {
  while (is_deaf()) state_.hooks.wait(label, *backend_->client_finds_out, [](runtime::Wakeup) {});
}

env::DatabaseResult<void> ClientSession::check() const {
  if (is_deaf() || (backend_->alive && !backend_->client_gone)) return {};
  if (backend_->alive) return error(DatabaseFailure::connection, "08006", "connection timed out");
  // The only end that the server announces.
  const bool announced = backend_->ended_because == k_terminated;
  return error(DatabaseFailure::connection, announced ? "57P01" : "08006", backend_->ended_because);
}

env::DatabaseResult<void> ClientSession::round_trip(const char* label) {
  find_out(label);
  if (auto before = step(label); !before) return before;
  find_out(label);
  if (auto after = check(); !after) return after;
  backend_->busy_at = state_.now();
  return {};
}

env::DatabaseResult<void> ClientSession::step(const char* label) {
  if (auto before = check(); !before) return before;
  state_.pause(*backend_, label);
  return check();
}

env::DatabaseResult<bool> ClientSession::wait_until(WaitQueue& queue, const char* label,
                                                    Instant deadline,
                                                    const std::function<bool()>& ready) {
  state_.advance();
  while (true) {
    if (is_deaf()) {
      if (state_.now() >= deadline) return false;
      state_.wait(queue, label, std::min(deadline, *backend_->client_finds_out));
      continue;
    }
    if (auto alive = check(); !alive) return alive.failure();
    if (ready()) return true;
    if (state_.now() >= deadline) return false;
    state_.wait(queue, label, deadline);
  }
}

env::DatabaseResult<std::optional<holdfast::postgres::RelationInfo>> ModelQuerySession::inspect(
    const RelationName& name) {
  if (auto trip = client_.round_trip("pg.inspect"); !trip) return trip.failure();
  const Table* table = state_.find_table(name);
  if (table == nullptr) return std::optional<holdfast::postgres::RelationInfo>();
  return std::optional(table->current()->to_info());
}

env::DatabaseResult<void> ModelQuerySession::lock_table(const RelationName& name) {
  Table* table = state_.find_table(name);
  struct Queued {
    ModelState& state;
    RelationName name;
    ~Queued() {
      if (Table* one = state.find_table(name)) {
        --one->lock().exclusive_waiting;
        state.wake(state.lock_waiters);
      }
    }
  };
  ++table->lock().exclusive_waiting;
  const Queued queued{state_, name};
  const auto free = client_.wait_until(state_.lock_waiters, "pg.publish.lock",
                                       state_.now() + state_.options.publish_lock_timeout, [&] {
                                         const Table* one = state_.find_table(name);
                                         if (one == nullptr) return true;
                                         const TableLock& lock = one->lock();
                                         return lock.writers.empty() && lock.readers == 0 &&
                                                lock.exclusive == nullptr;
                                       });
  if (!free) return free.failure();
  if (*free) return {};
  return error(DatabaseFailure::lock_timeout, "55P03", "canceling statement due to lock timeout");
}

env::DatabaseResult<env::PublishOutcome> ModelQuerySession::publish(const std::string& publication,
                                                                    const RelationName& name) {
  if (auto trip = client_.round_trip("pg.publish"); !trip) return trip.failure();
  if (state_.publications.count(publication) == 0)
    return error(DatabaseFailure::no_publication, "42704",
                 "publication \"" + publication + "\" does not exist");
  const auto done = [&](const Table& table) {
    return table.current()->publications.count(publication) != 0 &&
           table.current()->identity == ReplicaIdentity::full;
  };
  Table* table = state_.find_table(name);
  if (table == nullptr) return no_relation(name);
  if (done(*table)) return env::PublishOutcome::already_published;
  if (auto locked = lock_table(name); !locked) return locked.failure();
  // The lock was waited for: everything may have changed meanwhile.
  table = state_.find_table(name);
  if (table == nullptr) return no_relation(name);
  if (state_.publications.count(publication) == 0)
    return error(DatabaseFailure::no_publication, "42704",
                 "publication \"" + publication + "\" does not exist");
  if (done(*table)) return env::PublishOutcome::already_published;
  TableVersion version = *table->current();
  version.publications.emplace(publication, state_.transactions.next_xid());
  version.identity = ReplicaIdentity::full;
  state_.change_table(*table, std::move(version));
  state_.commit_catalog_change({});
  if (auto trip = client_.round_trip("pg.published"); !trip) return trip.failure();
  return env::PublishOutcome::published;
}

env::DatabaseResult<void> ModelQuerySession::unpublish(const std::string& publication,
                                                       const env::PublishedTable& which,
                                                       const std::string& slot) {
  if (auto trip = client_.round_trip("pg.unpublish"); !trip) return trip;
  Table* table = state_.find_table(which.name);
  if (table == nullptr || table->current()->oid != which.oid ||
      table->current()->publications.count(publication) == 0)
    return {};
  const Backend* holder = state_.advisory_locks[slot].holder;
  if (holder == nullptr || holder->instance != client_.backend().instance) return {};
  TableVersion version = *table->current();
  version.publications.erase(publication);
  state_.change_table(*table, std::move(version));
  state_.commit_catalog_change({});
  return client_.round_trip("pg.unpublished");
}

env::DatabaseResult<env::PublicationState> ModelQuerySession::verify_published(
    const std::string& publication, const RelationName& name) {
  using State = env::PublicationState;
  if (auto trip = client_.round_trip("pg.verify_published"); !trip) return trip.failure();
  const Table* table = state_.find_table(name);
  if (table == nullptr) return no_relation(name);
  if (table->current()->publications.count(publication) == 0) return State::not_a_member;
  if (table->current()->identity != ReplicaIdentity::full) return State::identity_not_full;
  const std::vector<const Transaction*> writers = table->lock().writers;
  const auto ended = client_.wait_until(
      state_.lock_waiters, "pg.verify_published.writers",
      state_.now() + state_.options.publish_lock_timeout, [&] {
        const Table* one = state_.find_table(name);
        return one == nullptr ||
               std::none_of(writers.begin(), writers.end(),
                            [&](const Transaction* writer) { return one->lock().writes(writer); });
      });
  if (!ended) return ended.failure();
  if (*ended) return State::complete;
  return error(DatabaseFailure::lock_timeout, "55P03", "somebody is writing to the table");
}

env::DatabaseResult<std::vector<env::PublishedTable>> ModelQuerySession::published(
    const std::string& publication) {
  if (auto trip = client_.round_trip("pg.list_published"); !trip) return trip.failure();
  std::vector<env::PublishedTable> found;
  for (const auto& [name, table] : state_.tables) {
    const auto& publications = table->current()->publications;
    if (const auto at = publications.find(publication); at != publications.end())
      found.push_back({name, table->current()->oid, at->second.truncated()});
  }
  return found;
}

env::DatabaseResult<std::unique_ptr<env::SnapshotRead>> ModelQuerySession::begin_snapshot(
    const RelationName& table) {
  auto read = std::make_unique<ModelSnapshotRead>(state_, client_);
  if (auto begun = read->begin(table); !begun) return begun.failure();
  return std::unique_ptr<env::SnapshotRead>(std::move(read));
}

env::DatabaseResult<Snapshot> ModelQuerySession::current_snapshot() {
  if (auto trip = client_.round_trip("pg.current_snapshot"); !trip) return trip.failure();
  Snapshot snapshot = state_.take_snapshot();
  snapshot.insert_lsn = state_.wal.insert_position();
  if (auto trip = client_.round_trip("pg.current_snapshot.known"); !trip) return trip.failure();
  return snapshot;
}

env::DatabaseResult<unsigned> ModelQuerySession::break_lock(const std::string& slot) {
  if (auto trip = client_.round_trip("pg.break_lock"); !trip) return trip.failure();
  const auto found = state_.slots.find(slot);
  if (found != state_.slots.end() && found->second.active != nullptr) return 0U;
  const Backend* holder = state_.advisory_locks[slot].holder;
  const auto backend =
      std::find_if(state_.backends.begin(), state_.backends.end(),
                   [holder](const BackendRef& one) { return one.get() == holder; });
  if (holder == nullptr || backend == state_.backends.end()) return 0U;
  if (holder->makes_slot || state_.now() - holder->busy_at < state_.options.lock_holder_grace)
    return 0U;
  const BackendRef victim = *backend;
  state_.close(*victim, k_terminated);
  return 1U;
}

env::DatabaseResult<std::unique_ptr<env::ReplicationSession>> ModelDatabase::connect_replication() {
  auto backend = state_.connect(instance_);
  if (!backend) return backend.failure();
  return std::unique_ptr<env::ReplicationSession>(
      std::make_unique<ModelReplicationSession>(state_, std::move(*backend)));
}

env::DatabaseResult<std::unique_ptr<env::QuerySession>> ModelDatabase::connect() {
  auto backend = state_.connect(instance_);
  if (!backend) return backend.failure();
  return std::unique_ptr<env::QuerySession>(
      std::make_unique<ModelQuerySession>(state_, std::move(*backend)));
}

}  // namespace holdfast::sim::postgres
