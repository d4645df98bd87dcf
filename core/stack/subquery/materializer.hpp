// Materializer: the result of one inner shape, as a process of its own beside the shape's consumer,
// which calls it inline with what each batch changed (engine.md §3.3). It lives and dies with its
// consumer; what it knows is in the store, in the commit of the batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/runtime/process.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/shape/definition.hpp"
#include "core/stack/context.hpp"
#include "core/stack/shape_meta.hpp"
#include "core/subquery/materializer_state.hpp"

namespace holdfast::stack {

class Materializer : public runtime::Process {
 public:
  using Entries = std::shared_ptr<const std::vector<subquery::StateDelta>>;

  Materializer(Context context, std::shared_ptr<const shape::Definition> definition,
               runtime::ProcessId consumer, Entries stored)
      : context_(std::move(context)),
        definition_(std::move(definition)),
        consumer_(consumer),
        stored_(std::move(stored)) {}

  // -- handlers -----------------------------------------------------------------------------------

  struct Applied {
    subquery::Moves moves;
    std::vector<subquery::StateDelta> state;
  };
  Applied apply(std::vector<subquery::InnerChange> changes, std::vector<std::uint64_t> txids);
  subquery::ValueSet values() { return state_->values(); }

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  Context context_;
  std::shared_ptr<const shape::Definition> definition_;  // whose plan the state points to
  runtime::ProcessId consumer_;
  Entries stored_;
  std::optional<subquery::MaterializerState> state_;
};

runtime::ChildSpec materializer_child(Context context, const ShapeMeta& shape,
                                      runtime::ProcessId consumer, Materializer::Entries stored);

}  // namespace holdfast::stack
