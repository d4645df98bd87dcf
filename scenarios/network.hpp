// The simulated network between clients and instances: latency both ways, and connections that
// break when the instance they lead to dies. Clients of a rolling deploy reach either instance.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "core/protocol/http.hpp"
#include "core/runtime/process.hpp"
#include "scenarios/instance.hpp"

namespace holdfast::scenarios {

class Network {
 public:
  Network(std::function<std::vector<Instance*>()> reachable, Duration latency)
      : reachable_(std::move(reachable)), latency_(latency) {}

  /// Sends a request and waits for the answer; empty if nobody can be reached, the connection
  /// broke, or the deadline passed. SUSPENDS the calling process of the world.
  struct Answer {
    std::optional<protocol::Response> response;
    bool overdue = false;
  };
  Answer fetch(runtime::Process& client, protocol::Request request, Duration deadline);

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
