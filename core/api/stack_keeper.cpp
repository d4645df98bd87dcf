#include "core/api/stack_keeper.hpp"

#include <algorithm>

#include "core/base/mark_list.hpp"
#include "core/stack/stack_supervisor.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::api {
namespace {

/// A stack that ran this long has recovered: the next failure starts with the shortest backoff.
constexpr Duration k_healthy_after = std::chrono::minutes(1);
constexpr Duration k_backoff_min = std::chrono::milliseconds(200);
constexpr Duration k_backoff_max = std::chrono::seconds(5);
/// For requests to be answered when the server stops. One that waits for a Postgres that does not
/// answer is not waited for.
constexpr Duration k_drain_patience = std::chrono::seconds(2);
constexpr Duration k_drain_look = std::chrono::milliseconds(2);

}  // namespace

void StackKeeper::init() {
  trap_exits();
  cast<&StackKeeper::start_stack>(runtime::Ref<StackKeeper>{self()});
}

void StackKeeper::start_stack() {
  if (stopped_ || supervisor_.valid()) return;
  started_ = now();
  try {
    supervisor_ = spawn<runtime::Supervisor>(
                      {.role = "stack", .registered_name = "stack", .link_to_parent = true},
                      stack::stack_supervisor(context_))
                      .id;
  } catch (const runtime::ProcessExit& failed) {
    on_linked_exit({}, failed.reason);
  }
}

void StackKeeper::on_linked_exit(runtime::ProcessId process, const runtime::ExitReason& reason) {
  if (process != supervisor_) return;
  supervisor_ = {};
  if (stopped_) return finish_stop();
  context_->reached(Mark::stack_restarted_itself);
  context_->emit({observe::Level::error, "stack_ended", {{"reason", reason.to_string()}}});
  if (now() - started_ > k_healthy_after) backoff_ = Duration{};
  backoff_ = std::clamp(backoff_ * 2, k_backoff_min, k_backoff_max);
  send_after<&StackKeeper::start_stack>(backoff_);
}

void StackKeeper::stop(std::function<bool()> answered, std::function<void()> stopped) {
  if (stopped_) return;
  answered_ = std::move(answered);
  stopped_ = std::move(stopped);
  stop_began_ = now();
  end_stack();
}

void StackKeeper::end_stack() {
  if (!answered_() && supervisor_.valid() && now() - stop_began_ < k_drain_patience) {
    send_after<&StackKeeper::end_stack>(k_drain_look);
    return;
  }
  if (supervisor_.valid())
    send_exit(supervisor_, runtime::ExitReason::shutdown());
  else
    finish_stop();
}

void StackKeeper::finish_stop() {
  context_->store->set_index(nullptr);
  context_->readers->close();
  runtime::run_job(*context_->environment.write_worker, "store.close",
                   [slot = context_->store] { slot->store.reset(); });
  stopped_();
  exit(runtime::ExitReason::normal());
}

}  // namespace holdfast::api
