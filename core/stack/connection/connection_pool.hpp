// ConnectionPool: bounds how many ordinary Postgres sessions the stack has open. It hands out
// permits, with an idle session if there is one; who gets a permit without one connects by itself,
// so that a slow connect delays nobody else. A holder's death gives its permit back.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "core/env/database.hpp"
#include "core/runtime/message.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

using SharedSession = std::shared_ptr<env::QuerySession>;

class ConnectionPool : public runtime::Process {
 public:
  explicit ConnectionPool(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// Answers when a permit is free: an idle session, or null for "connect yourself". A holder that
  /// asks again has lost what it held.
  void acquire(runtime::Reply<SharedSession> reply, runtime::ProcessId holder);
  /// The holder is done; a healthy session becomes idle, null gives back the permit only.
  void release(runtime::ProcessId holder, SharedSession session);
  /// The server went away: idle sessions are of no use.
  void drop_idle();

 protected:
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  struct Waiting {
    runtime::Reply<SharedSession> reply;
    runtime::ProcessId holder;
  };
  void grant();

  Context context_;
  std::deque<SharedSession> idle_;
  std::deque<Waiting> waiting_;
  std::map<runtime::ProcessId, runtime::MonitorRef> holders_;
};

/// Runs `use(session)`, which answers a DatabaseResult, on behalf of the process whose fiber calls.
/// A session whose connection failed is not given back. A failure to connect is the answer.
/// SUSPENDS. Throws ProcessExit if the pool is gone.
template <class F>
auto with_session(runtime::Process& process, const StackContext& context, F use)
    -> std::invoke_result_t<F, env::QuerySession&> {
  using R = std::invoke_result_t<F, env::QuerySession&>;
  SharedSession session;
  try {
    session = process.call<&ConnectionPool::acquire>(names::connection_pool, process.self());
  } catch (const runtime::ProcessExit&) {
    // It may be granted all the same, or have been: to nobody.
    process.cast<&ConnectionPool::release>(names::connection_pool, process.self(), nullptr);
    throw;
  }
  if (session == nullptr) {
    auto connected = context.environment.database->connect();
    if (!connected.ok()) {
      process.cast<&ConnectionPool::release>(names::connection_pool, process.self(), nullptr);
      return connected.failure();
    }
    session = std::move(*connected);
  }
  R result = use(*session);
  const bool broken = !result.ok() && (result.error().kind == env::DatabaseFailure::connection ||
                                       result.error().kind == env::DatabaseFailure::timeout);
  process.cast<&ConnectionPool::release>(names::connection_pool, process.self(),
                                         broken ? nullptr : std::move(session));
  return result;
}

}  // namespace holdfast::stack
