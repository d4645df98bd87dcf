#include "tools/sim/live/live_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>

#include "scenarios/plans/workload.hpp"
#include "tools/sim/live/actors.hpp"
#include "tools/sim/live/failure_folder.hpp"
#include "tools/sim/live/row_history.hpp"
#include "tools/sim/live/run_database.hpp"
#include "tools/sim/live/servers.hpp"

namespace holdfast::tools::live {
namespace {

using boost::asio::yield_context;
using std::chrono::seconds;

/// Real time in which every client must have been served, must have caught up, and the slot's
/// position must have reached the last commit, each.
constexpr Duration k_calm_limit = seconds(60);
constexpr Duration k_look_for_deaths = std::chrono::milliseconds(50);

std::string own_name(std::uint64_t seed) {
  return "holdfast_live_" + std::to_string(::getpid()) + "_" + std::to_string(seed);
}

ServerSetting server_setting(const scenarios::Plan& plan, const LiveSetting& setting,
                             const RunDatabase& database) {
  ServerSetting server;
  server.program = setting.server_program;
  server.storage = setting.folder / "storage";
  server.logs = setting.folder;
  server.database_url = database.url();
  server.variables = {
      {"ELECTRIC_REPLICATION_STREAM_ID", database.name()},
      {"ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD", std::to_string(plan.knobs.chunk_bytes)},
      {"ELECTRIC_LONG_POLL_TIMEOUT", "2s"},
      {"ELECTRIC_DB_POOL_SIZE", "8"},
      {"ELECTRIC_LOG_LEVEL", "debug"},
  };
  return server;
}

/// The run while its loop turns. Members in order of construction. What has sockets goes before the
/// loop, and with the loop its coroutines: they hold references, but touch nothing while they go.
class LiveRun {
 public:
  LiveRun(const scenarios::Plan& plan, const LiveSetting& setting, const RunDatabase& database,
          RowHistory& history);

  /// Once.
  Recording carry_out();

 private:
  void populate();
  void work(yield_context yield);
  void start_clients();
  void write_batch(std::uint64_t batch, yield_context yield);
  void begin_restart(const scenarios::PlannedRestart& restart);
  void write_final_transaction();
  void wait_for_calm(yield_context yield);
  std::string not_yet(const std::function<bool(const LiveClient&)>& done) const;
  void watch_signals(yield_context yield);
  void watch_servers(yield_context yield);

  const scenarios::Plan& plan_;
  const LiveSetting& setting_;
  RowHistory& history_;
  std::string slot_;
  bool restarting_ = false;
  bool stopping_ = false;
  bool interrupted_ = false;
  Stage stage_;
  Servers servers_;
  std::vector<std::unique_ptr<LiveWriter>> writers_;
  std::vector<std::unique_ptr<LiveClient>> clients_;
};

LiveRun::LiveRun(const scenarios::Plan& plan, const LiveSetting& setting,
                 const RunDatabase& database, RowHistory& history)
    : plan_(plan),
      setting_(setting),
      history_(history),
      slot_("electric_slot_" + database.name()),
      stage_(plan, setting.sabotage),
      servers_(stage_, server_setting(plan, setting, database)) {
  for (unsigned writer = 0; writer < plan.writers; ++writer)
    writers_.push_back(std::make_unique<LiveWriter>(stage_, database.url(), writer));
}

void LiveRun::populate() {
  std::string rows;
  for (const auto& row : plan_.initial_rows) rows += row.to_sql() + ";";
  if (!rows.empty()) history_.session().run("BEGIN;" + rows + "COMMIT");
}

void LiveRun::start_clients() {
  for (std::size_t i = 0; i < plan_.clients.size(); ++i) {
    clients_.push_back(std::make_unique<LiveClient>(stage_, servers_, i));
    stage_.spawn([client = clients_.back().get()](yield_context yield) { client->run(yield); });
  }
}

void LiveRun::begin_restart(const scenarios::PlannedRestart& restart) {
  restarting_ = true;
  stage_.spawn([this, &restart](yield_context yield) {
    stage_.sleep(restart.after, yield);
    servers_.restart(restart, yield);
    restarting_ = false;
  });
}

void LiveRun::write_batch(std::uint64_t batch, yield_context yield) {
  const std::uint64_t size = setting_.size.transactions_per_batch;
  std::size_t working = writers_.size();
  for (const auto& writer : writers_)
    stage_.spawn([&working, &writer, batch, size](yield_context inner) {
      writer->write(batch * size, (batch + 1) * size, inner);
      working--;
    });
  stage_.wait_until([&] { return working == 0; }, Duration::max() / 4, yield);
}

void LiveRun::work(yield_context yield) {
  const scenarios::LiveSize& size = setting_.size;
  servers_.start_first(yield);
  start_clients();
  std::size_t restart = 0;
  for (std::uint64_t batch = 0; batch < size.batches; ++batch) {
    if (setting_.progress)
      setting_.progress("batch " + std::to_string(batch + 1) + " of " +
                        std::to_string(size.batches));
    if (restart < plan_.restarts.size() && size.batch_of_restart(restart) == batch) {
      stage_.wait_until([&] { return !restarting_; }, Duration::max() / 4, yield);
      begin_restart(plan_.restarts[restart++]);
    }
    write_batch(batch, yield);
  }
  if (setting_.progress) setting_.progress("catching up");
  stage_.wait_until([&] { return !restarting_; }, Duration::max() / 4, yield);
  wait_for_calm(yield);
  stopping_ = true;
  servers_.stop_all(yield);
}

/// The names of those that are not yet what they should be; empty: all are.
std::string LiveRun::not_yet(const std::function<bool(const LiveClient&)>& done) const {
  std::string names;
  for (const auto& client : clients_)
    if (!done(*client))
      names += (names.empty() ? "" : ", ") + client->client().name() + " of " +
               client->client().spec().name;
  return names;
}

void LiveRun::wait_for_calm(yield_context yield) {
  const auto served = [](const LiveClient& client) { return client.was_served(); };
  if (!stage_.wait_until([&] { return not_yet(served).empty(); }, k_calm_limit, yield))
    return stage_.object(oracle::property::convergence,
                         "not served within 60 s: " + not_yet(served));
  write_final_transaction();
  const auto converged = [](const LiveClient& client) { return client.converged(); };
  if (!stage_.wait_until([&] { return not_yet(converged).empty(); }, k_calm_limit, yield))
    return stage_.object(oracle::property::convergence,
                         "not caught up with the last commit within 60 s: " + not_yet(converged));
  stage_.recording.converged = true;
  const std::string confirmed =
      "SELECT confirmed_flush_lsn - '0/0'::pg_lsn >= " +
      std::to_string(history_.commits().end_lsn) +
      " FROM pg_replication_slots WHERE slot_name = " + sim::postgres::quote_literal(slot_);
  if (!stage_.wait_until([&] { return history_.session().cell(confirmed) == "t"; }, k_calm_limit,
                         yield))
    stage_.object(oracle::property::confirmation,
                  "the slot's confirmed position does not reach the last commit within 60 s");
}

void LiveRun::write_final_transaction() {
  std::string rows;
  for (const auto& row : scenarios::final_rows(plan_)) rows += row.to_sql() + ";";
  history_.session().run("BEGIN;" + rows + "COMMIT");
  stage_.final_commit = history_.commits().last_lsn;
  stage_.note("the final commit is " + std::to_string(stage_.final_commit));
}

void LiveRun::watch_signals(yield_context yield) {
  boost::asio::posix::stream_descriptor signals(stage_.loop, ::dup(setting_.signals));
  signals.async_wait(boost::asio::posix::stream_descriptor::wait_read, yield);
  interrupted_ = true;
  stage_.loop.stop();
}

void LiveRun::watch_servers(yield_context yield) {
  while (!stopping_) {
    if (servers_.look_for_deaths()) return stage_.loop.stop();
    stage_.sleep(k_look_for_deaths, yield);
  }
}

Recording LiveRun::carry_out() {
  populate();
  if (setting_.signals >= 0) stage_.spawn([this](yield_context yield) { watch_signals(yield); });
  stage_.spawn([this](yield_context yield) { watch_servers(yield); });
  stage_.spawn([this](yield_context yield) {
    work(yield);
    stage_.loop.stop();
  });
  stage_.loop.run();
  if (interrupted_) throw Interrupted();
  if (stage_.failure) std::rethrow_exception(stage_.failure);
  stage_.recording.time = stage_.now().since_start;
  return std::move(stage_.recording);
}

}  // namespace

LiveReport run_live(std::uint64_t seed, const LiveSetting& setting) {
  const scenarios::Plan plan = scenarios::make_live_plan(seed, setting.size);
  const RunDatabase database(setting.postgres_url, own_name(seed));
  RowHistory history(database.url(), plan, database.name() + "_truth");
  LiveReport report;
  report.seed = seed;
  report.recording = LiveRun(plan, setting, database, history).carry_out();
  SqlTruth truth(history);
  report.judgement = judge(plan, report.recording, truth);
  if (report.failed() || setting.keep_always) write_evidence(plan, report, truth, setting);
  return report;
}

}  // namespace holdfast::tools::live
