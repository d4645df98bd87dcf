#include "core/runtime/message.hpp"

#include "core/runtime/process_record.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::runtime {
namespace {

void unlink(PendingCall& call) {
  ProcessRecord& callee = *call.callee;
  (call.previous == nullptr ? callee.first_pending : call.previous->next) = call.next;
  (call.next == nullptr ? callee.last_pending : call.next->previous) = call.previous;
  call.callee = nullptr;
}

}  // namespace

CallHandle::CallHandle(ProcessId caller, std::uint64_t call_id)
    : call_(std::make_unique<PendingCall>(PendingCall{.caller = caller, .call_id = call_id})) {}

CallHandle& CallHandle::operator=(CallHandle&& other) noexcept {
  if (this == &other) return *this;
  drop();
  call_ = std::move(other.call_);
  return *this;
}

void CallHandle::attach(ProcessRecord& callee) {
  ASSERT(call_->callee == nullptr, "a call arrives once");
  call_->callee = &callee;
  call_->previous = callee.last_pending;
  (callee.last_pending == nullptr ? callee.first_pending : callee.last_pending->next) = call_.get();
  callee.last_pending = call_.get();
}

void CallHandle::answer(std::unique_ptr<ReplyBox> reply) {
  if (call_ == nullptr) return;
  if (call_->callee == nullptr) {  // the callee's end has answered already
    call_ = nullptr;
    return;
  }
  ProcessRecord& callee = *call_->callee;
  ASSERT(FiberTask::current() == &callee, "a call is answered by the process that was called");
  ASSERT(!callee.unwinding, "destructors never send");
  const std::unique_ptr<PendingCall> answered = std::move(call_);
  unlink(*answered);
  callee.home.complete_call(answered->caller, answered->call_id, std::move(reply));
}

void CallHandle::forget() {
  if (call_ != nullptr && call_->callee != nullptr) unlink(*call_);
  call_ = nullptr;
}

void CallHandle::drop() noexcept {
  if (call_ == nullptr) return;
  if (call_->callee == nullptr) {
    call_ = nullptr;
    return;
  }
  // Not answered here: this may be a destructor during unwinding, and destructors never send. The
  // handler's end answers it, or the process's end with the process's reason.
  ProcessRecord& callee = *call_->callee;
  callee.dropped_replies.push_back(std::move(*this));
}

}  // namespace holdfast::runtime
