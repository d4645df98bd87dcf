#include "core/stack/shape_meta.hpp"

namespace holdfast::stack {

ShapeMeta shape_meta_from(const storage::ShapeRecord& record) {
  auto definition = shape::Definition::deserialize(record.definition);
  ASSERT(definition.ok(), "a definition whose checksum the store verified can be read");
  return {.handle = record.handle,
          .definition = std::make_shared<const shape::Definition>(std::move(*definition)),
          .snapshot_complete = record.snapshot_complete,
          .snapshot = record.snapshot,
          .head = record.snapshot_complete ? record.head : protocol::LogOffset::snapshot_end(),
          .snapshot_chunks = record.snapshot_chunks};
}

}  // namespace holdfast::stack
