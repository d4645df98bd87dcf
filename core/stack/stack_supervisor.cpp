#include "core/stack/stack_supervisor.hpp"

#include "core/stack/connection/connection_manager.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/connection/inspector.hpp"
#include "core/stack/connection/publication_manager.hpp"
#include "core/stack/connection/schema_reconciler.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/expiry_manager.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_cache.hpp"
#include "core/stack/shape_changes.hpp"
#include "core/stack/shape_cleaner.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

using runtime::ChildSpec;
using runtime::Strategy;
using runtime::Supervisor;
using runtime::SupervisorSpec;

template <class P, class... Args>
ChildSpec worker(const runtime::Name<P>& name, Args... args) {
  return {.role = name.text, .registered_name = name.text, .make = [args...] {
            return std::make_unique<P>(args...);
          }};
}

ChildSpec dynamic(const runtime::Name<Supervisor>& name) {
  return Supervisor::child(name.text, name.text, [] { return SupervisorSpec{}; });
}

SupervisorSpec shapes_supervisor(const Context& context) {
  SupervisorSpec shapes{
      .strategy = Strategy::one_for_all,
      .children = {dynamic(names::snapshotters), worker(names::shape_log_collector, context),
                   worker(names::publication_manager, context), dynamic(names::consumers),
                   dynamic(names::materializers), worker(names::shape_cache, context)}};
  if (context->options.max_shapes)
    shapes.children.push_back(worker(names::expiry_manager, context));
  return shapes;
}

SupervisorSpec core_supervisor(const Context& context) {
  // Shapes are added at run time: losing the database does not restart them, their crash does not
  // drop the connection.
  return {.strategy = Strategy::one_for_one,
          .children = {worker(names::connection_manager, context),
                       worker(names::schema_reconciler, context)}};
}

}  // namespace

ChildSpec shapes_child(Context context) {
  // Permanent, where upstream's is transient: whoever asks it to end without being its supervisor
  // would otherwise leave an engine that is connected and never ready again.
  return Supervisor::child("shapes", names::shapes.text,
                           [context] { return shapes_supervisor(context); });
}

SupervisorSpec stack_supervisor(Context context) {
  return {.strategy = Strategy::rest_for_one,
          .children = {worker(names::status_monitor), worker(names::shape_changes, context),
                       worker(names::connection_pool, context), worker(names::store, context),
                       worker(names::shape_status_owner, context),
                       worker(names::inspector, context), worker(names::shape_cleaner, context),
                       Supervisor::child("core", names::core.text,
                                         [context] { return core_supervisor(context); })}};
}

}  // namespace holdfast::stack
