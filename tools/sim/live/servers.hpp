// The servers of a live run: which are running, who is asked, and what a restart does to them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tools/sim/live/http_client.hpp"
#include "tools/sim/live/postgres_session.hpp"
#include "tools/sim/live/server_process.hpp"
#include "tools/sim/live/stage.hpp"

namespace holdfast::tools::live {

/// What the run objects to where the oracle cannot see it.
namespace property {
inline constexpr const char* server_dies = "live_server_dies";
inline constexpr const char* server_stops = "live_server_stops";
inline constexpr const char* one_leader = "live_one_leader";
inline constexpr const char* serves_again = "live_serves_again";
}  // namespace property

struct ServerSetting {
  std::filesystem::path program;
  std::map<std::string, std::string> variables;
  std::filesystem::path storage;
  std::filesystem::path logs;  ///< a folder
  std::string database_url;
};

class Servers {
 public:
  Servers(Stage& stage, ServerSetting setting);

  /// SUSPENDS until it leads.
  void start_first(boost::asio::yield_context yield);
  /// SUSPENDS until the restart is over.
  void restart(const scenarios::PlannedRestart& restart, boost::asio::yield_context yield);
  /// SIGTERM for whoever runs. SUSPENDS until all have ended.
  void stop_all(boost::asio::yield_context yield);

  /// Whom a load balancer would ask; `draw` decides among several. nullptr: nobody.
  ServerProcess* pick(std::uint64_t draw);
  /// Objects to servers that have ended without having been asked to. True: there are some.
  bool look_for_deaths();

 private:
  ServerProcess& start();
  /// "active", "waiting", "starting", or "" if it does not answer.
  std::string health(ServerProcess& server, boost::asio::yield_context yield);
  bool leads_within(Duration limit, ServerProcess& server, boost::asio::yield_context yield);
  void wait_until_leading(ServerProcess& server, boost::asio::yield_context yield);
  void wait_until_answering(ServerProcess& server, boost::asio::yield_context yield);
  void signal(ServerProcess& server, int number);
  /// SIGTERM, and if the plan says so SIGKILL during it. SUSPENDS until it has ended.
  void stop(ServerProcess& server, const scenarios::PlannedRestart& restart,
            boost::asio::yield_context yield);
  void wait_for_end(ServerProcess& server, boost::asio::yield_context yield);
  void roll(const scenarios::PlannedRestart& restart, boost::asio::yield_context yield);
  void freeze(const scenarios::PlannedRestart& restart, boost::asio::yield_context yield);
  /// Objects, unless the frozen leader holds a lock on the store.
  void explain_no_takeover(const ServerProcess& old);
  void end_sessions();
  void see_refusal(ServerProcess& old, boost::asio::yield_context yield);

  Stage& stage_;
  ServerSetting setting_;
  std::vector<std::unique_ptr<ServerProcess>> servers_;
  ServerProcess* leader_ = nullptr;
};

}  // namespace holdfast::tools::live
