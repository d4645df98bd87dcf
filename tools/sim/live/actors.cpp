#include "tools/sim/live/actors.hpp"

#include "oracle/client/messages.hpp"
#include "scenarios/plans/draws.hpp"

namespace holdfast::tools::live {
namespace {

using boost::asio::yield_context;
using std::chrono::milliseconds;

/// Between one application's end and the next one's start.
constexpr Duration k_fresh_pause_unit = milliseconds(20);
/// A held request ends after the server's long poll; this long is a request that hangs.
constexpr Duration k_request_deadline = std::chrono::seconds(60);

/// The LSN of the answer's up-to-date marker; 0: it has none.
std::uint64_t marker_of(const protocol::Response& response) {
  if (response.header("electric-up-to-date") == nullptr) return 0;
  const auto messages = oracle::parse_messages(response.body);
  return messages.ok() && !messages->empty() ? messages->back().up_to : 0;
}

}  // namespace

// -- clients --------------------------------------------------------------------------------------

void LiveClient::run(yield_context yield) {
  const scenarios::Draws draws =
      scenarios::Draws(stage_.plan.seed).of("live client", client_.plan().number);
  stage_.sleep(client_.plan().starts_at, yield);
  bool afresh = true;
  for (;;) {
    if (client_.is_to_start_afresh() && stage_.final_commit == 0) {
      afresh = true;
      stage_.sleep(k_fresh_pause_unit * static_cast<int>(1 + draws.below(20, "fresh", asked_)),
                   yield);
    }
    if (afresh) {
      begun_restarts_ = stage_.restarts_over;
      client_.start_afresh(begun_restarts_);
    }
    stage_.sleep(client_.delay(), yield);
    ask(afresh, yield);
    afresh = false;
  }
}

void LiveClient::ask(bool begins_afresh, yield_context yield) {
  RecordedAnswer recorded;
  recorded.client = index_;
  recorded.begins_afresh = begins_afresh;
  recorded.begun_restarts = begun_restarts_;
  recorded.request = client_.next_request();
  recorded.sent = stage_.now();
  const scenarios::Draws draws =
      scenarios::Draws(stage_.plan.seed).of("live client", client_.plan().number);
  if (ServerProcess* const server = servers_.pick(draws.any("route", asked_++))) {
    recorded.server = server->number();
    HttpClient::Answer answer =
        http_.fetch(*server->port(), recorded.request, k_request_deadline, yield);
    recorded.response = std::move(answer.response);
    recorded.overdue = answer.overdue;
  }
  if (recorded.response && stage_.sabotage.answer)
    stage_.sabotage.answer(client_.spec(), *recorded.response);
  recorded.answered = stage_.now();
  recorded.restarts_over = stage_.restarts_over;
  const oracle::Verdict verdict = client_.advance(recorded.response, stage_.restarts_over);
  if (verdict != oracle::Verdict::retry)
    marker_ = verdict == oracle::Verdict::progress ? marker_of(*recorded.response) : 0;
  const std::string* const has_data =
      recorded.response ? recorded.response->header("electric-has-data") : nullptr;
  const bool quiet = has_data != nullptr && *has_data == "false" && stage_.final_commit > 0 &&
                     marker_ >= stage_.final_commit;
  quiet_answers_ = quiet ? quiet_answers_ + 1 : 0;
  stage_.recording.answers.push_back(std::move(recorded));
  if (verdict == oracle::Verdict::fatal) stage_.sleep(std::chrono::seconds(1), yield);
}

// -- writers --------------------------------------------------------------------------------------

LiveWriter::LiveWriter(Stage& stage, const std::string& url, unsigned number)
    : stage_(stage), number_(number), session_(url) {
  // As long as a writer of the simulation has patience.
  session_.run("SET lock_timeout = '60ms'");
}

void LiveWriter::write(std::size_t from, std::size_t to, yield_context yield) {
  for (std::size_t t = from; t < to; ++t) {
    const scenarios::PlannedTransaction& transaction = stage_.plan.transactions[t];
    if (transaction.writer != number_) continue;
    stage_.sleep(transaction.pause_before, yield);
    const Instant began = stage_.now();
    std::string outcome = perform(transaction, yield);
    stage_.recording.transactions.push_back({t, began, stage_.now(), std::move(outcome)});
  }
}

std::string LiveWriter::perform(const scenarios::PlannedTransaction& transaction,
                                yield_context yield) {
  const auto run = [&](const std::string& sql) { return session_.run(sql, stage_.loop, yield); };
  const auto must = [&](const std::string& sql) {
    if (const auto done = run(sql); !done.ok()) throw std::runtime_error(done.error().message);
  };
  must("BEGIN");
  if (transaction.synchronous == sim::postgres::Synchronous::off)
    must("SET LOCAL synchronous_commit = off");
  for (std::size_t i = 0; i < transaction.statements.size(); ++i) {
    stage_.sleep(transaction.pauses[i], yield);
    if (const auto done = run(transaction.statements[i].to_sql()); !done.ok()) {
      must("ROLLBACK");
      return "rolled back: " + done.error().message;
    }
  }
  must(transaction.rolls_back ? "ROLLBACK" : "COMMIT");
  return transaction.rolls_back ? "rolled back" : "committed";
}

}  // namespace holdfast::tools::live
