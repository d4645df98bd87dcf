#include "core/api/engine.hpp"

#include <atomic>
#include <map>

#include "core/api/admission.hpp"
#include "core/api/error_responses.hpp"
#include "core/api/front_door.hpp"
#include "core/api/stack_keeper.hpp"
#include "core/base/mark_list.hpp"
#include "core/base/spin_lock.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::api {

struct Engine::Shared {
  Shared(runtime::Runtime& runtime_, std::shared_ptr<const stack::StackContext> context_,
         std::shared_ptr<const ApiOptions> options_)
      : runtime(runtime_),
        context(std::move(context_)),
        options(std::move(options_)),
        admission(std::make_shared<AdmissionControl>(options->max_initial_requests,
                                                     options->max_existing_requests)) {}

  runtime::Runtime& runtime;
  stack::Context context;
  std::shared_ptr<const ApiOptions> options;
  std::shared_ptr<AdmissionControl> admission;
  runtime::Ref<StackKeeper> keeper;
  const std::shared_ptr<std::atomic<bool>> stopping = std::make_shared<std::atomic<bool>>(false);

  std::vector<runtime::Ref<RequestProcess>> unanswered() {
    SpinGuard guard(lock);
    std::vector<runtime::Ref<RequestProcess>> list;
    for (const auto& [number, request] : requests) list.push_back(request);
    return list;
  }

  std::size_t count() {
    SpinGuard guard(lock);
    return requests.size();
  }

  SpinLock lock;
  std::uint64_t next_request = 0;                                  ///< under lock
  std::map<std::uint64_t, runtime::Ref<RequestProcess>> requests;  ///< under lock
};

namespace {

/// Of whoever was not admitted: the first of five, over which clients are spread.
constexpr unsigned k_retry_after_s = 6;

/// Answers a request whose process ended without doing so. Shared between the process, which
/// answers first in every ordinary case, and the observer of its end.
struct AnswerOnce {
  explicit AnswerOnce(RequestProcess::Respond respond_) : respond(std::move(respond_)) {}
  /// Whoever takes it answers; empty: somebody has.
  RequestProcess::Respond take() {
    SpinGuard guard(lock);
    return std::exchange(respond, nullptr);
  }
  SpinLock lock;
  RequestProcess::Respond respond;
};

protocol::Response answer_of_the_dead(Method method, const runtime::ExitReason& reason) {
  return reason.kind == runtime::ExitKind::crash ? internal_error()
                                                 : not_ready(method, NotReady::stack_restart);
}

Method method_of(const protocol::Request& request) {
  if (request.method == "POST") return Method::post;
  return request.method == "DELETE" ? Method::remove : Method::get;
}

/// By the `handle` of the query alone (http-api.md §4). Read models that are not there now, or that
/// another leader may have overtaken, send nobody back to the start who goes on.
Admission admission_of(const protocol::Request& request, runtime::Runtime& runtime,
                       const stack::StackStatus& status) {
  const std::string* handle = request.parameter("handle");
  if (handle == nullptr) return Admission::initial;
  if (!status.catalogue_current) return Admission::existing;
  const auto shape =
      runtime::TableRef(runtime, stack::tables::shape_meta).find(protocol::ShapeHandle{*handle});
  return shape.missing() ? Admission::initial : Admission::existing;
}

HealthStatus health_of(const stack::StackStatus& status) {
  switch (status.service) {
    case stack::ServiceStatus::active:
      return HealthStatus::active;
    case stack::ServiceStatus::waiting:
      return HealthStatus::waiting;
    case stack::ServiceStatus::starting:
      return HealthStatus::starting;
  }
  ASSERT(false, "a service status is one of three");
}

}  // namespace

Engine::Engine(runtime::Runtime& runtime, stack::StackEnvironment environment,
               EngineOptions options) {
  auto context = std::make_shared<stack::StackContext>();
  context->store = std::make_shared<stack::StoreSlot>();
  context->readers =
      std::make_shared<stack::ReaderSet>(environment, options.stack.store, context->store);
  context->environment = std::move(environment);
  context->options = std::move(options.stack);
  context->guards = options.guards;
  shared_ = std::make_shared<Shared>(runtime, std::move(context),
                                     std::make_shared<const ApiOptions>(std::move(options.api)));
}

void Engine::start() {
  shared_->keeper = shared_->runtime.spawn_root<StackKeeper>(
      {.role = "keeper", .registered_name = "keeper"}, shared_->context);
}

void Engine::stop(std::function<void()> stopped) {
  *shared_->stopping = true;
  for (const auto& request : shared_->unanswered())
    shared_->runtime.cast_from_outside<&RequestProcess::drain>(request);
  // Without a stack nobody serves the requests that are left; the observers of their ends answer.
  std::function<void()> finished = [shared = shared_, stopped = std::move(stopped)] {
    for (const auto& request : shared->unanswered())
      shared->runtime.send_exit(request.id, runtime::ExitReason::killed());
    stopped();
  };
  std::function<bool()> answered = [shared = shared_] { return shared->count() == 0; };
  shared_->runtime.cast_from_outside<&StackKeeper::stop>(shared_->keeper, std::move(answered),
                                                         std::move(finished));
}

void Engine::abandon() {
  shared_->context->readers->abandon();
  shared_->context->environment.write_worker->submit(
      "store.abandon", [slot = shared_->context->store] { slot->store.reset(); },
      runtime::Wakeup{});
}

HealthStatus Engine::health() const {
  return health_of(stack::read_status(shared_->runtime));
}

std::size_t Engine::requests() const {
  return shared_->count();
}

Engine::Cancel Engine::handle(protocol::Request request, Respond respond) {
  const std::shared_ptr<Shared> shared = shared_;
  std::uint64_t number = 0;
  {
    SpinGuard guard(shared->lock);
    number = ++shared->next_request;
  }
  const auto asked = std::make_shared<const protocol::Request>(std::move(request));
  auto completed = [shared, asked, number,
                    respond = std::move(respond)](protocol::Response response) {
    complete(*asked, *shared->options, "holdfast-request-" + std::to_string(number), response);
    respond(std::move(response));
  };
  const stack::StackStatus status = stack::read_status(shared->runtime);
  if (auto answer =
          answer_without_shape(*asked, *shared->options, health_of(status), status.waits_for)) {
    completed(std::move(*answer));
    return [] {};
  }
  const Method method = method_of(*asked);
  std::shared_ptr<Permit> permit;
  if (method != Method::remove) {
    const Admission kind = admission_of(*asked, shared->runtime, status);
    permit = Permit::of(shared->admission, kind);
    if (permit == nullptr) {
      shared->context->reached(Mark::request_not_admitted);
      const auto spread = static_cast<unsigned>(number % 5);
      completed(admission_refused(method, kind, *shared->options, k_retry_after_s + spread));
      return [] {};
    }
  }
  const auto once = std::make_shared<AnswerOnce>(std::move(completed));
  const auto process = shared->runtime.spawn_root<RequestProcess>(
      {.role = "request", .key = std::to_string(number)}, shared->context, shared->options,
      shared->stopping, std::move(permit), asked, [once](protocol::Response response) {
        if (auto answer = once->take()) answer(std::move(response));
      });
  bool stopping = false;
  {
    SpinGuard guard(shared->lock);
    shared->requests.emplace(number, process);
    stopping = *shared->stopping;
  }
  // It may have been held before stop() looked, and was not on stop()'s list.
  if (stopping) shared->runtime.cast_from_outside<&RequestProcess::drain>(process);
  shared->runtime.monitor_outside(
      process.id, [shared, once, number, method](const runtime::ExitReason& reason) {
        {
          SpinGuard guard(shared->lock);
          shared->requests.erase(number);
        }
        if (auto answer = once->take()) answer(answer_of_the_dead(method, reason));
      });
  return
      [shared, process] { shared->runtime.send_exit(process.id, runtime::ExitReason::killed()); };
}

}  // namespace holdfast::api
