#include "core/stack/shape_meta.hpp"

#include "core/where/byte_stream.hpp"

namespace holdfast::stack {

namespace {

std::vector<storage::NewShape> inners_of(const shape::Definition& definition) {
  std::vector<storage::NewShape> inners;
  for (const shape::Dependency& dependency : definition.dependencies()) {
    RollingHash identity;
    identity.add("inner");
    identity.add(dependency.inner->identity().high);
    identity.add(dependency.inner->identity().low);
    where::ByteWriter bytes;
    bytes.number(dependency.link.size());
    for (const std::uint16_t column : dependency.link) {
      identity.add(column);
      bytes.number(column);
    }
    bytes.text(dependency.inner->serialize());
    inners.push_back(
        {identity.value(), bytes.take(), storage::ShapeRole::inner, inners_of(*dependency.inner)});
  }
  return inners;
}

/// The definition's bytes, of an inner shape behind its link.
std::string_view read_link(const storage::ShapeRecord& record, std::vector<std::uint16_t>& link) {
  if (record.role == storage::ShapeRole::served) return record.definition;
  where::ByteReader in(record.definition);
  link.resize(in.count());
  for (std::uint16_t& column : link) column = static_cast<std::uint16_t>(in.number_up_to(0xffff));
  const std::string_view definition = in.text();
  ASSERT(in.finished(), "a definition whose checksum the store verified can be read");
  return definition;
}

}  // namespace

storage::NewShape family_of(const shape::Definition& definition) {
  return {definition.identity(), definition.serialize(), storage::ShapeRole::served,
          inners_of(definition)};
}

ShapeMeta shape_meta_from(const storage::ShapeRecord& record,
                          std::shared_ptr<const shape::Definition> known) {
  ShapeMeta meta;
  meta.handle = record.handle;
  meta.role = record.role;
  meta.inners = record.inners;
  const std::string_view bytes = read_link(record, meta.link);
  if (known == nullptr) {
    auto definition = shape::Definition::deserialize(bytes);
    ASSERT(definition.ok(), "a definition whose checksum the store verified can be read");
    known = std::make_shared<const shape::Definition>(std::move(*definition));
  }
  meta.definition = std::move(known);
  set_progress(meta, record);
  return meta;
}

void set_progress(ShapeMeta& meta, const storage::ShapeRecord& record) {
  meta.snapshot_complete = record.snapshot_complete;
  meta.snapshot = record.snapshot;
  meta.head = record.snapshot_complete ? record.head : protocol::LogOffset::snapshot_end();
  meta.snapshot_chunks = record.snapshot_chunks;
  meta.waiting_from = record.waiting_from;
  meta.quarantine = record.quarantine;
  meta.ending = false;
}

}  // namespace holdfast::stack
