// StackKeeper: starts the stack, starts it again with backoff when it ended by itself (a fence
// lost, a store that failed too often), and stops it when told. Above it there is only the program.
#pragma once

#include <functional>
#include <memory>

#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"

namespace holdfast::api {

class StackKeeper : public runtime::Process {
 public:
  explicit StackKeeper(stack::Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  void start_stack();
  /// Ends the stack once `answered` says so, or its patience is over: requests are answered by
  /// asking it. Closes the store, then calls `stopped` and ends.
  void stop(std::function<bool()> answered, std::function<void()> stopped);
  void end_stack();

 protected:
  void init() override;
  void on_linked_exit(runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  void finish_stop();

  stack::Context context_;
  runtime::ProcessId supervisor_;
  Duration backoff_{};
  Instant started_;
  std::function<bool()> answered_;
  std::function<void()> stopped_;
  Instant stop_began_;
};

}  // namespace holdfast::api
