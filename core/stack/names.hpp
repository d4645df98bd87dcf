// The registered names and tables of one stack, in one place. Names are looked up at each use.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/hash.hpp"
#include "core/postgres/catalog.hpp"
#include "core/protocol/offset.hpp"
#include "core/runtime/owned_table.hpp"
#include "core/runtime/process_id.hpp"
#include "core/runtime/supervisor.hpp"
#include "core/stack/shape_meta.hpp"

namespace holdfast::stack {

class StatusMonitor;
class ShapeChanges;
class StoreProcess;
class ShapeStatusOwner;
class ShapeCleaner;
class Inspector;
class ConnectionPool;
class ConnectionManager;
class SchemaReconciler;
class ReplicationClient;
class ShapeLogCollector;
class PublicationManager;
class ShapeCache;
class ExpiryManager;

struct StackStatus;

namespace names {

inline const runtime::Name<StatusMonitor> status_monitor{"status_monitor"};
inline const runtime::Name<ShapeChanges> shape_changes{"shape_changes"};
inline const runtime::Name<StoreProcess> store{"store"};
inline const runtime::Name<ShapeStatusOwner> shape_status_owner{"shape_status_owner"};
inline const runtime::Name<ShapeCleaner> shape_cleaner{"shape_cleaner"};
inline const runtime::Name<Inspector> inspector{"inspector"};
inline const runtime::Name<ConnectionPool> connection_pool{"connection_pool"};
inline const runtime::Name<ConnectionManager> connection_manager{"connection_manager"};
inline const runtime::Name<SchemaReconciler> schema_reconciler{"schema_reconciler"};
inline const runtime::Name<ReplicationClient> replication_client{"replication_client"};
inline const runtime::Name<ShapeLogCollector> shape_log_collector{"shape_log_collector"};
inline const runtime::Name<PublicationManager> publication_manager{"publication_manager"};
inline const runtime::Name<ShapeCache> shape_cache{"shape_cache"};
inline const runtime::Name<ExpiryManager> expiry_manager{"expiry_manager"};

inline const runtime::Name<runtime::Supervisor> core{"core"};
inline const runtime::Name<runtime::Supervisor> shapes{"shapes"};
inline const runtime::Name<runtime::Supervisor> consumers{"consumers"};
inline const runtime::Name<runtime::Supervisor> snapshotters{"snapshotters"};
inline const runtime::Name<runtime::Supervisor> materializers{"materializers"};

}  // namespace names

namespace tables {

inline const runtime::TableName<protocol::ShapeHandle, ShapeMeta> shape_meta{"shape_meta"};
inline const runtime::TableName<Hash128, protocol::ShapeHandle> shape_by_identity{
    "shape_by_identity"};
/// By the request that made the shape (shape::DefinitionRequest::key()). A hint: other requests may
/// mean the same shape, and two that differ in their relation share a key.
inline const runtime::TableName<std::string, protocol::ShapeHandle> shape_by_request{
    "shape_by_request"};
/// Shapes in quarantine, and why.
inline const runtime::TableName<protocol::ShapeHandle, std::string> quarantined{"quarantined"};
inline const runtime::TableName<std::uint8_t, LsnRow> lsn_tracker{"lsn_tracker"};
inline const runtime::TableName<std::uint8_t, StackStatus> status{"status"};
inline const runtime::TableName<postgres::RelationName, postgres::RelationInfo> relations{
    "relations"};
inline const runtime::TableName<std::string, std::shared_ptr<const shape::Definition>> definitions{
    "definitions"};

}  // namespace tables

}  // namespace holdfast::stack
