#include "scenarios/network.hpp"

namespace holdfast::scenarios {

Network::Answer Network::fetch(runtime::Process& client, protocol::Request request,
                               Duration deadline) {
  if (latency_ > Duration{0}) client.sleep(latency_);
  const std::vector<Instance*> instances = reachable_();
  if (instances.empty()) return {};
  Instance& instance = *instances[client.draw("route") % instances.size()];

  const auto connection = std::make_shared<Connection>();
  connection->instance = instance.number();
  open_.push_back(connection);
  const auto entry = std::prev(open_.end());
  const api::Engine::Cancel cancel = instance.engine().handle(
      std::move(request),
      [connection](protocol::Response response) { connection->finish(std::move(response)); });
  runtime::Woken woken = runtime::Woken::fired;
  if (!connection->done)
    woken = runtime::suspend("network.answer", client.now() + deadline,
                             [&](runtime::Wakeup wakeup) { connection->wakeup = wakeup; });
  open_.erase(entry);
  if (woken == runtime::Woken::deadline && !connection->done) {
    connection->finish(std::nullopt);
    return {.response = std::nullopt, .overdue = true};
  }
  if (latency_ > Duration{0}) client.sleep(latency_);
  return {.response = std::move(connection->response), .overdue = false};
}

void Network::break_connections(unsigned instance) {
  for (const auto& weak : open_)
    if (const auto connection = weak.lock())
      if (connection->instance == instance) connection->finish(std::nullopt);
}

}  // namespace holdfast::scenarios
