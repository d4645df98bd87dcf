#include "core/stack/subquery/materializer.hpp"

#include <utility>

namespace holdfast::stack {

runtime::ChildSpec materializer_child(const protocol::ShapeHandle& handle,
                                      std::shared_ptr<const shape::Definition> definition,
                                      runtime::ProcessId consumer, Materializer::Entries stored) {
  return {.role = "materializer",
          .key = handle.text + "/" + std::to_string(consumer.value),
          .make =
              [definition = std::move(definition), consumer, stored = std::move(stored)] {
                return std::make_unique<Materializer>(definition, consumer, stored);
              },
          .restart = runtime::Restart::temporary};
}

void Materializer::init() {
  monitor(consumer_);
  const auto& condition = definition_->condition();
  auto state =
      subquery::MaterializerState::restore(*stored_, condition ? condition->plan() : nullptr);
  if (!state.ok()) exit(runtime::ExitReason::crash(state.error().message));
  state_ = std::move(*state);
  stored_.reset();
}

void Materializer::on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) {
  exit(runtime::ExitReason::normal());
}

Materializer::Applied Materializer::apply(std::vector<subquery::InnerChange> changes,
                                          std::vector<std::uint64_t> txids) {
  for (const subquery::InnerChange& change : changes) state_->apply(change);
  Applied applied;
  applied.moves = state_->commit(std::move(txids));
  applied.state = state_->take_changes();
  return applied;
}

}  // namespace holdfast::stack
