// The simulated network between clients and instances: latency both ways, and connections that
// break when the instance they lead to dies, or when the client has no more patience. Clients of a
// rolling deploy reach either instance.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "core/protocol/http.hpp"
#include "core/runtime/process.hpp"
#include "oracle/oracle.hpp"
#include "scenarios/world/instance.hpp"

namespace holdfast::scenarios {

class Network {
 public:
  Network(std::function<std::vector<Instance*>()> reachable, Duration latency)
      : reachable_(std::move(reachable)), latency_(latency) {}

  struct Answer {
    /// Empty: nobody can be reached, the connection broke, or it took too long.
    std::optional<protocol::Response> response = {};
    bool overdue = false;   ///< the server did not answer within the deadline
    bool given_up = false;  ///< the client's patience was over first
    /// It was given up while the server was at it, or had just answered.
    bool given_up_late = false;
    /// Of an answer out of a cache: when it was asked for and made.
    std::optional<oracle::Origin> origin = {};
  };
  struct Terms {
    Duration deadline{};
    std::optional<Duration> patience = {};  ///< none: waits until the deadline
  };
  /// Sends a request and waits for the answer. SUSPENDS the calling process of the world.
  Answer fetch(runtime::Process& client, protocol::Request request, Terms terms);

  /// The instance is gone, and every connection to it.
  void break_connections(unsigned instance);

 private:
  struct Connection {
    unsigned instance = 0;
    bool done = false;
    std::optional<protocol::Response> response;
    std::optional<runtime::Wakeup> wakeup;

    void finish(std::optional<protocol::Response> answer) {
      if (done) return;
      done = true;
      response = std::move(answer);
      if (wakeup) wakeup->fire();
    }
  };

  std::function<std::vector<Instance*>()> reachable_;
  Duration latency_;
  std::list<std::weak_ptr<Connection>> open_;
};

}  // namespace holdfast::scenarios
