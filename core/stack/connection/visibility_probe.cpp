#include "core/stack/connection/visibility_probe.hpp"

#include "core/stack/log/shape_log_collector.hpp"

namespace holdfast::stack {
namespace {

constexpr std::string_view k_cannot_connect_now = "57P03";

}  // namespace

runtime::ChildSpec visibility_probe_child(Context context,
                                          runtime::Ref<ShapeLogCollector> collector,
                                          std::uint64_t number, SharedSession session) {
  return {.role = "visibility_probe",
          .key = std::to_string(collector.id.value) + "/" + std::to_string(number),
          .make =
              [context = std::move(context), collector, session = std::move(session)] {
                return std::make_unique<VisibilityProbe>(context, collector, session);
              },
          .restart = runtime::Restart::temporary};
}

void VisibilityProbe::init() {
  cast<&VisibilityProbe::run>(runtime::Ref<VisibilityProbe>{self()});
}

void VisibilityProbe::run() {
  auto snapshot = ask();
  if (snapshot.ok())
    cast<&ShapeLogCollector::visible>(collector_, std::move(*snapshot), std::move(session_));
  else if (snapshot.error().sqlstate == k_cannot_connect_now)
    cast<&ShapeLogCollector::server_shuts_down>(collector_);
  exit_after_handler(runtime::ExitReason::normal());
}

env::DatabaseResult<postgres::Snapshot> VisibilityProbe::ask() {
  if (session_ != nullptr) {
    // It has been idle for long and may be gone; then a new one is as good.
    auto snapshot = session_->current_snapshot();
    if (snapshot.ok()) return snapshot;
  }
  auto connected = context_->environment.database->connect();
  if (!connected.ok()) return connected.failure();
  session_ = std::move(*connected);
  return session_->current_snapshot();
}

}  // namespace holdfast::stack
