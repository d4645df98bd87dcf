#include "sim/disk/operation.hpp"

#include "core/base/assert.hpp"

namespace holdfast::sim {

const char* operation_label(OperationKind kind) {
  switch (kind) {
    case OperationKind::open:
      return "disk.open";
    case OperationKind::create:
      return "disk.create";
    case OperationKind::read:
      return "disk.read";
    case OperationKind::write:
      return "disk.write";
    case OperationKind::truncate:
      return "disk.truncate";
    case OperationKind::sync:
      return "disk.sync";
    case OperationKind::sync_directory:
      return "disk.sync_directory";
    case OperationKind::remove:
      return "disk.remove";
    case OperationKind::create_directory:
      return "disk.create_directory";
    case OperationKind::list:
      return "disk.list";
    case OperationKind::stat:
      return "disk.stat";
    case OperationKind::lock:
      return "disk.lock";
    case OperationKind::shared_memory:
      return "disk.shared_memory";
  }
  ASSERT(false, "every kind of operation has a label");
}

std::string_view operation_name(OperationKind kind) {
  return std::string_view(operation_label(kind)).substr(sizeof("disk.") - 1);
}

}  // namespace holdfast::sim
