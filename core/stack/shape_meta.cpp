#include "core/stack/shape_meta.hpp"

namespace holdfast::stack {

ShapeMeta shape_meta_from(const storage::ShapeRecord& record,
                          std::shared_ptr<const shape::Definition> known) {
  if (known == nullptr) {
    auto definition = shape::Definition::deserialize(record.definition);
    ASSERT(definition.ok(), "a definition whose checksum the store verified can be read");
    known = std::make_shared<const shape::Definition>(std::move(*definition));
  }
  ShapeMeta meta{.handle = record.handle,
                 .definition = std::move(known),
                 .role = record.role,
                 .snapshot_complete = false,
                 .snapshot = {},
                 .head = {},
                 .snapshot_chunks = 0};
  set_progress(meta, record);
  return meta;
}

void set_progress(ShapeMeta& meta, const storage::ShapeRecord& record) {
  meta.snapshot_complete = record.snapshot_complete;
  meta.snapshot = record.snapshot;
  meta.head = record.snapshot_complete ? record.head : protocol::LogOffset::snapshot_end();
  meta.snapshot_chunks = record.snapshot_chunks;
}

}  // namespace holdfast::stack
