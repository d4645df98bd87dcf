#include "tools/sim/live/servers.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "oracle/violation.hpp"
#include "tools/sim/live/file_locks.hpp"

namespace holdfast::tools::live {
namespace {

using boost::asio::yield_context;
using scenarios::PlannedRestart;
using scenarios::RestartKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration k_start_limit = seconds(30);
/// HOLDFAST_DRAIN_TIMEOUT, and slack on a busy machine.
constexpr Duration k_stop_limit = seconds(30);
constexpr Duration k_look = milliseconds(20);
/// After this the reason is looked for why nobody takes over from a frozen leader.
constexpr Duration k_takeover_limit = seconds(10);
/// A leader that wakes up must have found out by then that it is none.
constexpr Duration k_wake_limit = seconds(10);
/// What reaches the sockets of a frozen server before its sessions end.
constexpr Duration k_fill_time = milliseconds(150);
/// A real time for the plan's virtual one.
constexpr Duration k_longest_down_time = milliseconds(500);

std::string name_of(const ServerProcess& server) {
  return "server " + std::to_string(server.number());
}

std::string name_of_signal(int number) {
  return std::string("SIG") + ::sigabbrev_np(number);
}

}  // namespace

Servers::Servers(Stage& stage, ServerSetting setting)
    : stage_(stage), setting_(std::move(setting)) {}

ServerProcess& Servers::start() {
  const auto number = static_cast<unsigned>(servers_.size() + 1);
  std::map<std::string, std::string> variables = setting_.variables;
  variables["DATABASE_URL"] = setting_.database_url;
  variables["ELECTRIC_STORAGE_DIR"] = setting_.storage;
  variables["ELECTRIC_PORT"] = "0";
  variables["HOLDFAST_LISTEN_ADDRESS"] = "127.0.0.1";
  variables["ELECTRIC_INSECURE"] = "true";
  servers_.push_back(std::make_unique<ServerProcess>(
      setting_.program, variables, setting_.logs / ("server-" + std::to_string(number) + ".log"),
      number));
  stage_.note(name_of(*servers_.back()) + " is started");
  return *servers_.back();
}

ServerProcess* Servers::pick(std::uint64_t draw) {
  std::vector<ServerProcess*> reachable;
  for (const auto& server : servers_)
    if (!server->frozen() && !server->ended() && server->port()) reachable.push_back(server.get());
  return reachable.empty() ? nullptr : reachable[draw % reachable.size()];
}

bool Servers::look_for_deaths() {
  bool some = false;
  for (const auto& server : servers_) {
    if (!server->ended() || server->asked_to_end()) continue;
    some = true;
    stage_.object(property::server_dies,
                  name_of(*server) + " ended by itself: " + server->end() + ", see its log");
  }
  return some;
}

std::string Servers::health(ServerProcess& server, yield_context yield) {
  if (server.ended() || !server.port()) return {};
  HttpClient client(stage_.loop);
  protocol::Request request;
  request.method = "GET";
  request.path = "/v1/health";
  const auto answer = client.fetch(*server.port(), request, seconds(2), yield);
  if (!answer.response) return {};
  for (const char* status : {"active", "waiting", "starting"})
    if (answer.response->body.find(status) != std::string::npos) return status;
  return {};
}

bool Servers::leads_within(Duration limit, ServerProcess& server, yield_context yield) {
  const Instant end = stage_.now() + limit;
  while (!server.ended() && stage_.now() < end) {
    if (health(server, yield) == "active") {
      stage_.note(name_of(server) + " leads");
      return true;
    }
    stage_.sleep(k_look, yield);
  }
  return false;
}

void Servers::wait_until_leading(ServerProcess& server, yield_context yield) {
  if (!leads_within(k_start_limit, server, yield) && !server.ended())
    stage_.object(property::serves_again, name_of(server) + " does not lead within 30 s");
}

void Servers::wait_until_answering(ServerProcess& server, yield_context yield) {
  const Instant end = stage_.now() + k_start_limit;
  while (!server.ended() && stage_.now() < end) {
    const std::string status = health(server, yield);
    if (status == "active" || status == "waiting")
      return stage_.note(name_of(server) + " answers: " + status);
    stage_.sleep(k_look, yield);
  }
  if (!server.ended())
    stage_.object(property::serves_again, name_of(server) + " does not stand by within 30 s");
}

void Servers::signal(ServerProcess& server, int number) {
  stage_.note(name_of(server) + ": " + name_of_signal(number));
  server.send_signal(number);
}

void Servers::wait_for_end(ServerProcess& server, yield_context yield) {
  if (stage_.wait_until([&] { return server.ended(); }, k_stop_limit, yield))
    return stage_.note(name_of(server) + " has ended: " + server.end());
  stage_.object(property::server_stops,
                name_of(server) + " still runs 30 s after its SIGTERM, see its log");
  server.send_signal(SIGKILL);
}

void Servers::stop(ServerProcess& server, const PlannedRestart& restart, yield_context yield) {
  signal(server, SIGTERM);
  if (restart.kill_during_stop) {
    stage_.sleep(restart.kill_delay, yield);
    signal(server, SIGKILL);
  }
  wait_for_end(server, yield);
  if (!restart.kill_during_stop && server.end() != "exit code 0")
    stage_.object(property::server_stops, name_of(server) + " was asked to stop and ended with " +
                                              server.end() + ", see its log");
}

void Servers::start_first(yield_context yield) {
  leader_ = &start();
  wait_until_leading(*leader_, yield);
}

void Servers::restart(const PlannedRestart& restart, yield_context yield) {
  stage_.note("restart " + std::to_string(restart.number) +
              " begins: " + std::string(scenarios::name_of(restart.kind)));
  stage_.recording.restarts[static_cast<std::size_t>(restart.kind)]++;
  switch (restart.kind) {
    case RestartKind::graceful:
    case RestartKind::brutal:
      if (restart.kind == RestartKind::graceful) {
        stop(*leader_, restart, yield);
      } else {
        signal(*leader_, SIGKILL);
        wait_for_end(*leader_, yield);
      }
      stage_.sleep(std::min(restart.down_time, k_longest_down_time), yield);
      if (stage_.sabotage.before_restart) stage_.sabotage.before_restart(setting_.storage);
      leader_ = &start();
      wait_until_leading(*leader_, yield);
      break;
    case RestartKind::rolling:
      roll(restart, yield);
      break;
    case RestartKind::frozen:
      freeze(restart, yield);
      break;
    case RestartKind::power_loss:
    case RestartKind::overlapping:
      ASSERT(false, "live plans have no such restart");
  }
  stage_.restarts_over++;
  stage_.note("restart " + std::to_string(restart.number) + " is over");
}

void Servers::roll(const PlannedRestart& restart, yield_context yield) {
  ServerProcess& old = *leader_;
  if (stage_.sabotage.before_restart) stage_.sabotage.before_restart(setting_.storage);
  leader_ = &start();
  wait_until_answering(*leader_, yield);
  stage_.sleep(restart.overlap, yield);
  stop(old, restart, yield);
  wait_until_leading(*leader_, yield);
}

void Servers::freeze(const PlannedRestart& restart, yield_context yield) {
  ServerProcess& old = *leader_;
  signal(old, SIGSTOP);
  // What is committed now waits in the old leader's socket: it will want to commit it.
  stage_.sleep(std::min(restart.down_time, k_longest_down_time) + k_fill_time, yield);
  end_sessions();
  if (stage_.sabotage.before_restart) stage_.sabotage.before_restart(setting_.storage);
  leader_ = &start();
  const bool leads = leads_within(k_takeover_limit, *leader_, yield);
  if (!leads && !leader_->ended()) explain_no_takeover(old);
  signal(old, SIGCONT);
  if (!leads) wait_until_leading(*leader_, yield);
  see_refusal(old, yield);
  stage_.sleep(restart.overlap, yield);
  stop(old, restart, yield);
}

void Servers::explain_no_takeover(const ServerProcess& old) {
  // No signal and no time-out frees the file lock of a stopped process: who was frozen inside a
  // transaction of the store keeps everybody out until it is continued or killed.
  const std::string lock = exclusive_lock_of(old.process(), setting_.storage);
  if (lock.empty())
    return stage_.object(property::serves_again,
                         name_of(*leader_) + " does not take over within 10 s from " +
                             name_of(old) + ", which is frozen and holds no lock");
  stage_.recording.takeovers_locked_out++;
  stage_.note(name_of(*leader_) + " cannot take over: " + name_of(old) +
              " was frozen with a lock on " + lock);
}

void Servers::end_sessions() {
  PostgresSession(setting_.database_url)
      .run(std::string("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                       "current_database() AND application_name <> '") +
           k_application + "' AND pid <> pg_backend_pid()");
  stage_.note("its sessions with Postgres end");
}

void Servers::see_refusal(ServerProcess& old, yield_context yield) {
  const std::size_t before = old.log().size();
  const Instant end = stage_.now() + k_wake_limit;
  std::string status = "active";
  while (status == "active" && stage_.now() < end) {
    stage_.sleep(k_look, yield);
    status = health(old, yield);
  }
  // The store's own words: another instance has taken the directory over.
  const bool refused = old.log().find("storage epoch is", before) != std::string::npos;
  if (refused) stage_.recording.refused_commits++;
  stage_.note(name_of(old) + " woke up: " + (refused ? "its commit was refused, " : "") +
              "its health is \"" + status + "\"");
  if (status == "active")
    stage_.object(property::one_leader,
                  name_of(old) + " says that it leads 10 s after it woke up, and so does " +
                      name_of(*leader_));
}

void Servers::stop_all(yield_context yield) {
  for (const auto& server : servers_)
    if (!server->ended()) stop(*server, {}, yield);
}

}  // namespace holdfast::tools::live
