#include "sim/postgres/state.hpp"

#include <algorithm>

#include "core/base/hash.hpp"
#include "sim/postgres/values/datetime.hpp"

namespace holdfast::sim::postgres {
namespace {

/// Where virtual runs without a clock begin: 2026-01-01 UTC in microseconds since 2000.
constexpr std::int64_t k_manual_start_us = 820'540'800'000'000;

/// Of one round trip while queries are slow: up to some seconds, as with a cold cache.
constexpr Duration k_slow_least = std::chrono::milliseconds(50);
constexpr std::uint64_t k_slow_spread_ns = 1'500'000'000;

/// `instant` rounded up to the next multiple of `step` after it.
Instant next_tick(Instant instant, Duration step) {
  return {(instant.since_start / step + 1) * step};
}

}  // namespace

ModelState::ModelState(ModelOptions opts, ModelHooks model_hooks)
    : options(std::move(opts)),
      hooks(std::move(model_hooks)),
      transactions(options.first_xid),
      wal(options.first_lsn),
      executor(tables, transactions, wal, options.toast_bytes),
      identity{options.system_identifier, 1},
      next_oid(options.first_oid) {}

Instant ModelState::now() const {
  return hooks.clock ? hooks.clock->now() : manual_now;
}

std::int64_t ModelState::clock_us() const {
  if (hooks.clock) return hooks.clock->wall_time().unix_us - k_postgres_epoch_unix_us;
  return k_manual_start_us +
         std::chrono::duration_cast<std::chrono::microseconds>(manual_now.since_start).count();
}

void ModelState::advance() {
  const Instant time = now();
  if (flush_due_ && *flush_due_ <= time) flush_wal();
  const auto silent = [&](const BackendRef& backend) {
    return backend->walsender && options.wal_sender_timeout.count() > 0 &&
           time - backend->last_reply >= options.wal_sender_timeout;
  };
  const auto gone = [&](const BackendRef& backend) {
    return backend->client_gone && time - *backend->client_gone >= options.half_open_timeout;
  };
  std::vector<BackendRef> over;  // apart, since close() changes the list
  for (const BackendRef& backend : backends)
    if (silent(backend) || gone(backend)) over.push_back(backend);
  for (const BackendRef& backend : over) {
    close(*backend, silent(backend) ? "terminating walsender process due to replication timeout"
                                    : "could not receive data from client: Connection timed out");
  }
}

Instant ModelState::next_event() const {
  Instant next = Instant::never();
  const Instant time = now();
  // What is due already is up to somebody else: a client that does not listen is not pinged.
  const auto consider = [&](Instant event) {
    if (event > time) next = std::min(next, event);
  };
  if (flush_due_) next = std::min(next, *flush_due_);
  for (const BackendRef& backend : backends) {
    if (backend->walsender && options.wal_sender_timeout.count() > 0) {
      consider(backend->last_reply + options.wal_sender_timeout / 2);
      consider(backend->last_reply + options.wal_sender_timeout);
    }
    if (backend->walsender && time < flood_until) consider(backend->next_flood);
    if (backend->client_gone) consider(*backend->client_gone + options.half_open_timeout);
    if (backend->client_finds_out) consider(*backend->client_finds_out);
  }
  return next;
}

void ModelState::pause(Backend& backend, const char* label) {
  const std::uint64_t ordinal = backend.pauses++;
  if (hooks.pause) hooks.pause(label, backend.path, ordinal);
  if (now() < slow_until && !backend.walsender && hooks.wait) {
    ++trouble.slowed;
    const auto delay =
        k_slow_least +
        Duration(static_cast<std::int64_t>(draw(backend, "pg.slow") % k_slow_spread_ns));
    hooks.wait("pg.slow", now() + delay, [](const runtime::Wakeup&) {});
  }
  advance();
}

std::uint64_t ModelState::draw(Backend& backend, std::string_view site) {
  const std::uint64_t ordinal = backend.draws++;
  return hooks.random ? hooks.random->draw(backend.path, site, ordinal) : 0;
}

bool ModelState::chance(Backend& backend, std::string_view site, unsigned percent) {
  if (percent == 0 || !hooks.random) return false;
  return draw(backend, site) % 100 < percent;
}

void ModelState::wait(WaitQueue& queue, const char* label, Instant deadline) {
  ASSERT(hooks.wait, "a call that has to wait needs a way to wait");
  struct Ticket {
    WaitQueue& queue;
    std::uint64_t number = 0;
    ~Ticket() { queue.remove(number); }
  } ticket{queue};
  hooks.wait(label, std::min(deadline, next_event()),
             [&](runtime::Wakeup wakeup) { ticket.number = queue.add(std::move(wakeup)); });
  advance();
}

void ModelState::wake(WaitQueue& queue) {
  const auto waiting = queue.take();
  if (!hooks.fire) return;
  for (const auto& [ticket, wakeup] : waiting) hooks.fire(wakeup);
}

env::DatabaseResult<BackendRef> ModelState::connect(unsigned instance) {
  auto backend = std::make_shared<Backend>();
  backend->instance = instance;
  backend->path =
      combine64(hash64("postgres.connection"), combine64(instance, ++connections[instance]));
  pause(*backend, "pg.connect");
  if (shutting_down)
    return Failure<env::DatabaseError>{
        {env::DatabaseFailure::connection, "57P03", "the database system is shutting down"}};
  if (unreachable.count(instance) != 0)
    return Failure<env::DatabaseError>{
        {env::DatabaseFailure::connection, "08006", "connection to server failed"}};
  backend->pid = next_pid++;
  backends.push_back(backend);
  return backend;
}

void ModelState::close(Backend& backend, std::string reason) {
  if (!backend.alive) return;
  backend.alive = false;
  backend.ended_because = std::move(reason);
  backend.walsender.reset();
  std::erase_if(backends, [&](const BackendRef& one) { return one.get() == &backend; });
  for (auto& [name, slot] : slots)
    if (slot.active == &backend) slot.active = nullptr;
  for (auto& [name, lock] : advisory_locks) {
    std::erase(lock.waiting, &backend);
    if (lock.holder != &backend) continue;
    lock.holder = nullptr;
    grant_next(lock);
  }
  release_tables(backend);
  wake(stream_waiters);
  wake(lock_waiters);
}

void ModelState::grant_next(AdvisoryLock& lock) {
  if (lock.holder != nullptr || lock.waiting.empty()) return;
  lock.holder = lock.waiting.front();
  lock.holder->busy_at = now();
  lock.waiting.pop_front();
}

void ModelState::end_walsender_if_done(Backend& backend) {
  if (!shutting_down || !backend.walsender || !backend.walsender->caught_up() ||
      !backend.walsender->outgoing().empty() || backend.client_flushed < wal.flushed())
    return;
  close(backend, "the server has shut down");
}

Lsn ModelState::make_slot(const std::string& name) {
  wal.append(28);  // the running-transactions record that ends the building of its snapshot
  flush_wal();
  const Lsn consistent = wal.end();
  slots.emplace(name, Slot{name, consistent, consistent, consistent});
  return consistent;
}

void ModelState::release_tables(Backend& backend) {
  for (Table* table : backend.reading) --table->lock().readers;
  backend.reading.clear();
  wake(lock_waiters);
}

void ModelState::note_wal() {
  if (!flush_due_ && wal.end() > wal.flushed())
    flush_due_ = next_tick(now(), options.wal_writer_delay);
}

void ModelState::flush_wal() {
  flush_due_.reset();
  if (wal.flushed() == wal.end()) return;
  wal.flush();
  wake(stream_waiters);
}

void ModelState::end_transaction(Transaction& transaction, TransactionState state) {
  transaction.state = state;
  transactions.end(transaction);
  executor.release_locks(transaction);
  wake(lock_waiters);
}

void ModelState::abort(Transaction& transaction) {
  constexpr std::size_t k_abort_payload_bytes = 10;
  if (transaction.xid.value != 0) {
    const WalSpan span = wal.append(k_abort_payload_bytes);
    if (transaction.first_record_end.value == 0) transaction.first_record_end = span.end;
    note_wal();
  }
  end_transaction(transaction, TransactionState::aborted);
}

bool ModelState::log_commit(Transaction& transaction) {
  if (transaction.xid.value == 0) return false;
  wal.append_commit(transaction);
  transaction.commit_time_us = clock_us();
  transaction.state = TransactionState::logged;
  if (transaction.first_record_end.value == 0) transaction.first_record_end = transaction.end_lsn;
  note_wal();
  return true;
}

const Transaction& ModelState::commit_catalog_change(Oid invalidated) {
  Transaction& transaction = transactions.begin();
  transactions.assign_xid(transaction);
  wal.append_catalog_change(invalidated);
  log_commit(transaction);
  flush_wal();
  end_transaction(transaction, TransactionState::committed);
  return transaction;
}

bool ModelState::make_publication(const std::string& publication) {
  if (!publications.insert(publication).second) return false;
  commit_catalog_change({});
  wal.note_publication_made(publication);
  return true;
}

void ModelState::note_form(const RelationName& name, const Transaction& by) {
  const Table* table = find_table(name);
  forms[name].push_back(
      {table, table == nullptr ? nullptr : table->current(), by.commit_lsn, by.xid});
}

void ModelState::commit_message() {
  constexpr std::size_t k_message_payload_bytes = 40;
  Transaction& transaction = transactions.begin();
  transactions.assign_xid(transaction);
  transaction.first_record_end = wal.append(k_message_payload_bytes).end;
  log_commit(transaction);
  flush_wal();
  end_transaction(transaction, TransactionState::committed);
}

Table* ModelState::find_table(const RelationName& name) {
  const auto found = tables.find(name);
  return found == tables.end() ? nullptr : found->second.get();
}

const Table* ModelState::find_table(const RelationName& name) const {
  const auto found = tables.find(name);
  return found == tables.end() ? nullptr : found->second.get();
}

void ModelState::change_table(Table& table, TableVersion version) {
  table.set_current(std::make_shared<const TableVersion>(std::move(version)));
  compiled_.clear();
}

SqlResult<std::shared_ptr<const WhereClause>> ModelState::compile(const Table& table,
                                                                  const std::string& text) {
  if (text.empty()) return std::shared_ptr<const WhereClause>();
  auto& compiled = compiled_[table.current()->name];
  if (const auto found = compiled.find(text); found != compiled.end()) return found->second;
  auto condition = compile(*table.current(), text);
  if (condition) compiled.emplace(text, *condition);
  return condition;
}

SqlResult<std::shared_ptr<const WhereClause>> ModelState::compile(const TableVersion& version,
                                                                  const std::string& text) {
  if (text.empty()) return std::shared_ptr<const WhereClause>();
  ConditionTrees& trees = options.condition_trees ? *options.condition_trees : own_trees_;
  const auto tree = trees.tree(text, big_stack);
  if (!tree) return tree.failure();
  const TableLookup lookup = [this](const RelationName& name) -> TableVersionRef {
    const Table* other = find_table(name);
    return other ? other->current() : nullptr;
  };
  return WhereClause::compile(*tree, version, lookup, big_stack);
}

}  // namespace holdfast::sim::postgres
