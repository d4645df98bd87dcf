// Which live shape a request means: read models first, the store where they cannot answer.
// Functions on behalf of the process whose fiber calls; each SUSPENDS. "Gone" and "not loaded"
// never read as "no such shape" (I-49).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/api/parameters.hpp"
#include "core/runtime/process.hpp"
#include "core/shape/definition.hpp"
#include "core/stack/context.hpp"
#include "core/stack/shape_meta.hpp"

namespace holdfast::api {

/// Whose word counts: the leader's read models, or, for a standby, the store that another instance
/// writes, read afresh each time (http-api.md §23.2).
enum class Source : std::uint8_t { read_models, store };

/// Thrown where nobody can answer now; the request tries again or says 503.
struct NotNow {
  NotReady condition = NotReady::shape_metadata;
  std::string cause;
};

/// The definition a request asks for, or the 400 that says what is wrong with it. Asks Postgres
/// only about tables that no live shape has. Throws NotNow.
Result<std::shared_ptr<const shape::Definition>, protocol::Response> resolve_definition(
    runtime::Process& process, const stack::StackContext& context, Method method,
    const shape::DefinitionRequest& request, const ShapeParameters* parameters);

/// The live shape with this identity. Throws NotNow.
std::optional<stack::ShapeMeta> find_by_identity(runtime::Process& process,
                                                 const stack::StackContext& context, Source source,
                                                 const Hash128& identity);
/// The live shape with this handle. Throws NotNow.
std::optional<stack::ShapeMeta> find_by_handle(runtime::Process& process,
                                               const stack::StackContext& context, Source source,
                                               const protocol::ShapeHandle& handle);

/// What the store itself knows of a handle. Throws NotNow.
storage::ShapeLookup look_up(const stack::StackContext& context,
                             const protocol::ShapeHandle& handle);

/// Everything of this shape up to here is visible to readers. To be read before the head
/// (http-api.md §13.5). A former leader goes on to tell what it knew when it led, of the shapes
/// that it had then: their logs have it all, whoever leads now.
std::optional<postgres::Lsn> global_lsn(runtime::Process& process, Source source,
                                        const protocol::ShapeHandle& handle);

}  // namespace holdfast::api
