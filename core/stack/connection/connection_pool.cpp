#include "core/stack/connection/connection_pool.hpp"

namespace holdfast::stack {

void ConnectionPool::acquire(runtime::Reply<SharedSession> reply, runtime::ProcessId holder) {
  release(holder, nullptr);
  waiting_.push_back({std::move(reply), holder});
  grant();
}

void ConnectionPool::release(runtime::ProcessId holder, SharedSession session) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.holder == holder; });
  const auto found = holders_.find(holder);
  if (found == holders_.end()) return;
  demonitor(found->second);
  holders_.erase(found);
  if (session != nullptr) idle_.push_back(std::move(session));
  grant();
}

void ConnectionPool::drop_idle() {
  idle_.clear();
}

void ConnectionPool::grant() {
  while (!waiting_.empty() && holders_.size() < context_->options.connection_pool_size) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    ASSERT(!holders_.contains(next.holder), "a process holds one session at a time");
    holders_.emplace(next.holder, monitor(next.holder));
    SharedSession session;
    if (!idle_.empty()) {
      session = std::move(idle_.back());
      idle_.pop_back();
    }
    next.reply.send(std::move(session));
  }
}

void ConnectionPool::on_down(runtime::MonitorRef ref, runtime::ProcessId process,
                             const runtime::ExitReason&) {
  const auto found = holders_.find(process);
  if (found == holders_.end() || found->second != ref) return;
  holders_.erase(found);
  grant();
}

}  // namespace holdfast::stack
