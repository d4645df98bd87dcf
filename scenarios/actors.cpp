#include "scenarios/actors.hpp"

#include <utility>

namespace holdfast::scenarios {
namespace {

using sim::postgres::ExecuteOutcome;

/// A blocked statement is tried again so often; then its transaction gives way (no deadlock lasts).
constexpr unsigned k_lock_attempts = 20;
constexpr Duration k_lock_retry = std::chrono::milliseconds(3);

/// Between one application's end and the next one's start.
constexpr Duration k_fresh_pause_unit = std::chrono::milliseconds(40);
/// Of the requests of a client that has a patience.
constexpr unsigned k_gives_up_percent = 40;

}  // namespace

// -- clients --------------------------------------------------------------------------------------

void ClientProcess::init() {
  cast<&ClientProcess::run>(runtime::Ref<ClientProcess>{self()});
}

void ClientProcess::run() {
  sleep(client_.plan().starts_at);
  client_.start_afresh(stage_.restarts_over);
  while (!stage_.closing) {
    if (client_.is_to_leave() && at_large()) {
      left_ = true;
      return;
    }
    if (client_.is_to_start_afresh() && at_large()) {
      client_.start_afresh(stage_.restarts_over);
      sleep(k_fresh_pause_unit * static_cast<int>(1 + draw("fresh") % 20));
    }
    sleep(client_.delay());
    oracle::Exchange exchange = client_.exchange_at(now());
    stage_.oracle->asked(exchange);
    protocol::Request request = client_.next_request();
    if (stage_.recorder != nullptr) stage_.recorder->asked(name(), request);
    Network::Answer answer = ask(std::move(request));
    exchange.response = std::move(answer.response);
    exchange.answered = last_answer_ = now();
    exchange.origin = answer.origin;
    if (answer.overdue) stage_.oracle->overdue(exchange);
    const oracle::MoveTally moves = view().moves();
    client_.judge(exchange, *stage_.oracle);
    count_moves(stage_.sights, stage_.traits[client_.plan().spec], client_.crossed_a_restart(),
                moves, view().moves());
    if (!at_large() && spec().has_subqueries())
      agreed_commit_ = stage_.oracle->agreed_commit(view());
    if (!stage_.plan->probes.empty()) stage_.notebook.note(exchange);
    if (stage_.recorder != nullptr) stage_.recorder->answered(exchange);
    if (stage_.note)
      stage_.note(name() + " " + spec().name + " asked after " + exchange.state.offset.to_string() +
                  ": " +
                  (exchange.response
                       ? std::to_string(exchange.response->status) + " " + exchange.response->body
                       : "connection broken"));
    take(exchange);
    has_converged_ = has_converged_ || converged();
  }
}

Network::Answer ClientProcess::ask(protocol::Request request) {
  const Duration patience = client_.plan().patience;
  Network::Terms terms{oracle::Oracle::k_request_deadline};
  // Now and then, so that it gets on.
  if (patience > Duration{0} && at_large() && draw("gives_up") % 100 < k_gives_up_percent)
    terms.patience = Duration(draw("patience") % static_cast<std::uint64_t>(patience.count()));
  const bool in_crowd = client_.plan().leaves_after > 0;
  if (in_crowd) stage_.client_trouble.count(ClientTrouble::crowd, stage_.crowd_asking++ > 0);
  Network::Answer answer = client_.plan().proxied
                               ? stage_.proxy->fetch(*this, std::move(request), terms)
                               : stage_.network->fetch(*this, std::move(request), terms);
  if (in_crowd) stage_.crowd_asking--;
  if (answer.given_up)
    stage_.client_trouble.count(ClientTrouble::vanishing_client, answer.given_up_late);
  return answer;
}

void ClientProcess::take(const oracle::Exchange& exchange) {
  switch (client_.advance(exchange.response, stage_.restarts_over)) {
    case oracle::Verdict::progress: {
      const std::string* has_data = exchange.response->header("electric-has-data");
      if (std::exchange(lagged_, false))
        stage_.client_trouble.count(ClientTrouble::slow_client,
                                    has_data != nullptr && *has_data == "true");
      return read_slowly();
    }
    case oracle::Verdict::refetch:
      // The official client's is random, so that no cache has an answer to it.
      return client_.use_cache_buster(1 + static_cast<unsigned>(draw("buster") % 1'000'000'000));
    case oracle::Verdict::fatal:
      return sleep(std::chrono::seconds(1));
    case oracle::Verdict::retry:
      return;
  }
}

void ClientProcess::read_slowly() {
  const Duration lag = client_.plan().lag;
  if (lag == Duration{0} || !at_large()) return;
  sleep(Duration(draw("lag") % static_cast<std::uint64_t>(lag.count())));
  lagged_ = true;
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
    if (result.outcome == ExecuteOutcome::ok) continue;
    stage_.workload.refused++;
    return postgres.rollback(session);
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
  stage_.workload.committed++;
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
  const Instant sent = now();
  const Network::Answer answer =
      stage_.network->fetch(*this, std::move(request), {oracle::Oracle::k_request_deadline});
  if (!answer.response) return;
  stage_.oracle->over(cause, now());
  if (answer.response->status == 202) stage_.oracle->deleted(spec, sent, now());
}

}  // namespace holdfast::scenarios
