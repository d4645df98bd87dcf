#include "scenarios/actors.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::ExecuteOutcome;

/// A blocked statement is tried again so often; then its transaction gives way (no deadlock lasts).
constexpr unsigned k_lock_attempts = 20;
constexpr Duration k_lock_retry = std::chrono::milliseconds(3);

/// Between one application's end and the next one's start.
constexpr Duration k_fresh_pause_unit = std::chrono::milliseconds(40);

}  // namespace

// -- clients --------------------------------------------------------------------------------------

void ClientProcess::init() {
  cast<&ClientProcess::run>(runtime::Ref<ClientProcess>{self()});
}

void ClientProcess::run() {
  sleep(client_.plan().starts_at);
  client_.start_afresh(stage_.restarts_over);
  while (!stage_.closing) {
    if (client_.is_to_start_afresh() && stage_.final_commit == 0) {
      client_.start_afresh(stage_.restarts_over);
      sleep(k_fresh_pause_unit * static_cast<int>(1 + draw("fresh") % 20));
    }
    sleep(client_.delay());
    oracle::Exchange exchange = client_.exchange_at(now());
    protocol::Request request = client_.next_request();
    if (stage_.recorder != nullptr) stage_.recorder->asked(name(), request);
    Network::Answer answer =
        stage_.network->fetch(*this, std::move(request), oracle::Oracle::k_request_deadline);
    exchange.response = std::move(answer.response);
    exchange.answered = last_answer_ = now();
    if (answer.overdue) stage_.oracle->overdue(exchange);
    client_.judge(exchange, *stage_.oracle);
    if (stage_.recorder != nullptr) stage_.recorder->answered(exchange);
    if (stage_.note)
      stage_.note(name() + " " + spec().name + " asked after " + exchange.state.offset.to_string() +
                  ": " +
                  (exchange.response
                       ? std::to_string(exchange.response->status) + " " + exchange.response->body
                       : "connection broken"));
    if (client_.advance(exchange.response, stage_.restarts_over) == oracle::Verdict::fatal)
      sleep(std::chrono::seconds(1));
  }
}

// -- writers --------------------------------------------------------------------------------------

void WriterProcess::init() {
  cast<&WriterProcess::run>(runtime::Ref<WriterProcess>{self()});
}

void WriterProcess::run() {
  for (const PlannedTransaction& transaction : stage_.plan->transactions)
    if (transaction.writer == number_) perform(transaction);
  stage_.writers_working--;
  exit(runtime::ExitReason::normal());
}

void WriterProcess::perform(const PlannedTransaction& transaction) {
  sim::postgres::PostgresModel& postgres = *stage_.postgres;
  sleep(transaction.pause_before);
  const sim::postgres::Session session = postgres.begin();
  for (std::size_t i = 0; i < transaction.statements.size(); ++i) {
    if (transaction.pauses[i] > Duration{0}) sleep(transaction.pauses[i]);
    auto result = postgres.execute(session, transaction.statements[i]);
    for (unsigned attempt = 0;
         result.outcome == ExecuteOutcome::blocked && attempt < k_lock_attempts; ++attempt) {
      sleep(k_lock_retry);
      result = postgres.execute(session, transaction.statements[i]);
    }
    if (result.outcome != ExecuteOutcome::ok) return postgres.rollback(session);
  }
  if (transaction.rolls_back) return postgres.rollback(session);
  sim::postgres::CommitResult committed;
  if (transaction.standby_wait > Duration{0}) {
    committed = postgres.log_commit(session, sim::postgres::Synchronous::on);
    sleep(transaction.standby_wait);
    postgres.show_commit(session);
  } else {
    committed = postgres.commit(session, transaction.synchronous);
  }
  if (!stage_.note && stage_.recorder == nullptr) return;
  std::string statements;
  for (const sim::postgres::Statement& statement : transaction.statements)
    statements += "; " + statement.to_sql();
  if (stage_.recorder != nullptr) stage_.recorder->committed(committed.xid.value, statements);
  if (stage_.note)
    stage_.note("commit xid=" + std::to_string(committed.xid.value) +
                " lsn=" + std::to_string(committed.commit_lsn.value) + statements);
}

// -- removals -------------------------------------------------------------------------------------

void RemovalProcess::init() {
  cast<&RemovalProcess::run>(runtime::Ref<RemovalProcess>{self()});
}

void RemovalProcess::run() {
  sleep(plan_.at);
  if (plan_.truncate)
    truncate();
  else
    remove();
  stage_.removals_pending--;
  exit(runtime::ExitReason::normal());
}

void RemovalProcess::truncate() {
  const auto& table = stage_.plan->tables[plan_.subject].name;
  for (unsigned attempt = 0; attempt < k_lock_attempts; ++attempt) {
    const sim::postgres::Session session = stage_.postgres->begin();
    const auto result = stage_.postgres->execute(
        session, {sim::postgres::StatementKind::truncate, table, {}, {}, {}});
    if (result.outcome == ExecuteOutcome::ok) {
      // Before the commit: from its record on, the engine may act on it.
      const std::size_t cause =
          stage_.oracle->record({oracle::Cause::truncated, table.table, now()});
      stage_.postgres->commit(session, sim::postgres::Synchronous::on);
      stage_.oracle->over(cause, now());
      return;
    }
    stage_.postgres->rollback(session);
    sleep(k_lock_retry * 10);
  }
}

void RemovalProcess::remove() {
  const oracle::ShapeSpec& spec = stage_.plan->specs[plan_.subject];
  protocol::Request request = oracle::next_request(spec, {});
  request.method = "DELETE";
  // A DELETE whose answer is lost may have happened: its cause counts from when it was sent.
  const std::size_t cause =
      stage_.oracle->record({oracle::Cause::deleted_by_request, spec.name, now()});
  const Network::Answer answer =
      stage_.network->fetch(*this, std::move(request), oracle::Oracle::k_request_deadline);
  if (answer.response) stage_.oracle->over(cause, now());
}

}  // namespace holdfast::scenarios
