// Who acts in a live run beside the servers: the clients and the writers of the plan, as
// coroutines.
#pragma once

#include <string>
#include <vector>

#include "tools/sim/live/http_client.hpp"
#include "tools/sim/live/postgres_session.hpp"
#include "tools/sim/live/servers.hpp"
#include "tools/sim/live/stage.hpp"

namespace holdfast::tools::live {

/// One strict client over real sockets. Asks and records; judging comes later.
class LiveClient {
 public:
  LiveClient(Stage& stage, Servers& servers, std::size_t index)
      : stage_(stage),
        servers_(servers),
        index_(index),
        client_(stage.plan.specs[stage.plan.clients[index].spec], stage.plan.clients[index]),
        http_(stage.loop) {}

  /// SUSPENDS; ends with the loop.
  void run(boost::asio::yield_context yield);

  bool was_served() const { return client_.was_served(); }
  /// It has seen the final commit, or later, and then, with subqueries, that nothing moves any
  /// more: moves follow what causes them, and the marker does not wait for them.
  bool converged() const {
    return stage_.final_commit > 0 && marker_ >= stage_.final_commit &&
           (quiet_answers_ >= k_quiet_answers || !client_.spec().has_subqueries());
  }
  const scenarios::StrictClient& client() const { return client_; }

 private:
  void ask(bool begins_afresh, boost::asio::yield_context yield);

  Stage& stage_;
  Servers& servers_;
  std::size_t index_;
  scenarios::StrictClient client_;
  HttpClient http_;
  std::uint64_t asked_ = 0;
  unsigned begun_restarts_ = 0;
  /// Live answers without data since the final commit was seen, each after a whole long poll.
  unsigned quiet_answers_ = 0;
  static constexpr unsigned k_quiet_answers = 2;
  std::uint64_t marker_ = 0;  ///< LSN of the last up-to-date marker; 0: not up to date
};

/// One of the plan's writers, with a session of its own.
class LiveWriter {
 public:
  LiveWriter(Stage& stage, const std::string& url, unsigned number);
  /// Its part of the transactions [from, to). SUSPENDS.
  void write(std::size_t from, std::size_t to, boost::asio::yield_context yield);

 private:
  std::string perform(const scenarios::PlannedTransaction& transaction,
                      boost::asio::yield_context yield);
  Stage& stage_;
  unsigned number_;
  PostgresSession session_;
};

}  // namespace holdfast::tools::live
