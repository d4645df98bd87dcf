#include "scenarios/world/network.hpp"

#include <algorithm>

namespace holdfast::scenarios {

Network::Answer Network::fetch(runtime::Process& client, protocol::Request request, Terms terms) {
  const Instant gives_up = terms.patience ? client.now() + *terms.patience : Instant::never();
  if (latency_ > Duration{0}) client.sleep(latency_);
  if (client.now() > gives_up) return {.given_up = true};
  const std::vector<Instance*> instances = reachable_();
  if (instances.empty()) return {};
  Instance& instance = *instances[client.draw("route") % instances.size()];

  const auto connection = std::make_shared<Connection>();
  connection->instance = instance.number();
  open_.push_back(connection);
  const auto entry = std::prev(open_.end());
  const api::Engine::Cancel cancel = instance.handle(
      std::move(request),
      [connection](protocol::Response response) { connection->finish(std::move(response)); });
  const Instant overdue = client.now() + terms.deadline;
  if (!connection->done)
    runtime::suspend("network.answer", std::min(overdue, gives_up),
                     [&](runtime::Wakeup wakeup) { connection->wakeup = wakeup; });
  open_.erase(entry);
  if (!connection->done) {
    connection->finish(std::nullopt);
    if (client.now() >= overdue) return {.overdue = true};
    cancel();
    return {.given_up = true, .given_up_late = true};
  }
  if (latency_ > Duration{0}) client.sleep(latency_);
  if (client.now() > gives_up) return {.given_up = true, .given_up_late = true};
  return {.response = std::move(connection->response)};
}

void Network::break_connections(unsigned instance) {
  for (const auto& weak : open_)
    if (const auto connection = weak.lock())
      if (connection->instance == instance) connection->finish(std::nullopt);
}

}  // namespace holdfast::scenarios
