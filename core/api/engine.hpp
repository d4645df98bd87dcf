// Engine: one instance of the engine as its surroundings see it: started, asked, stopped. Keeps one
// stack running, with backoff if it ends by itself, and turns requests into processes. Used by the
// server in production and by the simulated network alike; knows no sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/api/api_options.hpp"
#include "core/api/request_process.hpp"
#include "core/protocol/http.hpp"
#include "core/runtime/runtime.hpp"
#include "core/stack/context.hpp"

namespace holdfast::api {

class StackKeeper;

struct EngineOptions {
  stack::StackOptions stack;
  ApiOptions api;
  Guards guards = Guards::all();
};

class Engine {
 public:
  using Respond = std::function<void(protocol::Response)>;
  using Cancel = std::function<void()>;

  /// `runtime` is the instance's own; everything in `environment` outlives the engine.
  Engine(runtime::Runtime& runtime, stack::StackEnvironment environment, EngineOptions options);

  /// Returns at once; health() tells how far it is.
  void start();
  /// Answers held requests, stops the stack in order, closes the store; then calls `stopped`, on a
  /// process's fiber. Once.
  void stop(std::function<void()> stopped);
  /// After the instance's processes were destroyed at once (kill -9 in the simulator): lets the
  /// workers close what they have open. Does not wait.
  void abandon();

  /// Answers exactly once, perhaps at once, on any thread of the runtime. The returned function
  /// ends a request whose client has gone away; it may be called at any time.
  Cancel handle(protocol::Request request, Respond respond);

  HealthStatus health() const;
  /// Requests that have a process: held, waiting or being answered.
  std::size_t requests() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace holdfast::api
