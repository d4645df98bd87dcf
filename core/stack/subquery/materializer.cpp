#include "core/stack/subquery/materializer.hpp"

#include <utility>

namespace holdfast::stack {

runtime::ChildSpec materializer_child(Context context, const ShapeMeta& shape,
                                      runtime::ProcessId consumer, Materializer::Entries stored) {
  return {.role = "materializer",
          .key = shape.handle.text + "/" + std::to_string(consumer.value),
          .make =
              [context = std::move(context), definition = shape.definition, consumer,
               stored = std::move(stored)] {
                return std::make_unique<Materializer>(context, definition, consumer, stored);
              },
          .restart = runtime::Restart::temporary};
}

void Materializer::init() {
  monitor(consumer_);
  const auto& condition = definition_->condition();
  auto state = subquery::MaterializerState::restore(
      *stored_, condition ? condition->plan() : nullptr, subquery::Rules(context_->guards),
      definition_->has_primary_key());
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
