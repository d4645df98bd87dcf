#include "core/storage/catalogue.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/big_endian.hpp"
#include "core/storage/packing.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t k_snapshot_version = 1;

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string make_handle(const Hash128& identity, std::uint64_t counter) {
  return std::to_string(identity.high >> 32) + "-" + std::to_string(counter);
}

std::optional<std::uint64_t> handle_counter(std::string_view handle) {
  const std::size_t dash = handle.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = handle.substr(dash + 1);
  if (!all_digits(handle.substr(0, dash)) || !all_digits(digits)) return std::nullopt;
  std::uint64_t counter = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), counter);
  if (parsed.ec != std::errc{}) return std::nullopt;
  return counter;
}

std::string pack_identity(const Hash128& identity) {
  std::string bytes;
  put_u64(bytes, identity.high);
  put_u64(bytes, identity.low);
  return bytes;
}

std::string pack_inners(const std::vector<std::uint64_t>& ids) {
  std::string bytes;
  for (const std::uint64_t id : ids) put_varint(bytes, id);
  return bytes;
}

std::string pack_snapshot(const postgres::Snapshot& snapshot) {
  std::string bytes;
  put_varint(bytes, k_snapshot_version);
  put_varint(bytes, snapshot.xmin.value);
  put_varint(bytes, snapshot.xmax.value);
  put_varint(bytes, snapshot.insert_lsn.value);
  put_varint(bytes, snapshot.xip.size());
  for (const postgres::FullXid xid : snapshot.xip) put_varint(bytes, xid.value);
  return bytes;
}

std::optional<postgres::Snapshot> unpack_snapshot(std::string_view bytes) {
  Unpacker unpack(bytes);
  if (unpack.varint() != k_snapshot_version) return std::nullopt;
  postgres::Snapshot snapshot;
  snapshot.xmin.value = unpack.varint();
  snapshot.xmax.value = unpack.varint();
  snapshot.insert_lsn.value = unpack.varint();
  const std::uint64_t count = unpack.varint();
  if (count > bytes.size()) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) snapshot.xip.push_back({unpack.varint()});
  if (unpack.failed() || !unpack.empty()) return std::nullopt;
  return snapshot;
}

StoreResult<CatalogueShape> Catalogue::row_to_shape(const Query& rows) const {
  CatalogueShape shape;
  shape.id = rows.number(0);
  const auto wrong = [&](const char* what) {
    return Failure{
        connection_.corrupt("table shape, row " + std::to_string(shape.id) + ": " + what)};
  };
  ShapeRecord& record = shape.record;
  record.handle.text = std::string(rows.bytes(1));
  Unpacker identity(rows.bytes(2));
  record.identity.high = identity.u64();
  record.identity.low = identity.u64();
  if (identity.failed() || !identity.empty()) return wrong("the identity has not 16 bytes");
  record.snapshot_complete = !rows.is_null(3);
  if (record.snapshot_complete) {
    record.snapshot_chunks = static_cast<std::uint32_t>(rows.number(3));
    auto snapshot = unpack_snapshot(rows.bytes(4));
    if (!snapshot) return wrong("the snapshot is malformed");
    record.snapshot = std::move(*snapshot);
    record.head = protocol::LogOffset::snapshot_end();
  }
  record.definition = std::string(rows.bytes(5));
  record.role = rows.number(6) == 0 ? ShapeRole::served : ShapeRole::inner;
  Unpacker inners(rows.bytes(7));
  while (!inners.empty()) {
    shape.inners.push_back(inners.varint());
    if (inners.failed() || shape.inners.back() >= shape.id)
      return wrong("an inner shape is not an earlier one");
  }
  return shape;
}

StoreResult<void> Catalogue::find_inners(CatalogueShape& shape) {
  for (const std::uint64_t id : shape.inners) {
    Query rows = connection_.query(select_handle_, id);
    if (rows.next()) {
      shape.record.inners.push_back({std::string(rows.bytes(0))});
      continue;
    }
    if (rows.failed()) return Failure{connection_.failure("reading the catalogue")};
    return Failure{connection_.corrupt("table shape, row " + std::to_string(shape.id) +
                                       ": the inner shape " + std::to_string(id) + " is missing")};
  }
  return {};
}

StoreResult<void> Catalogue::find_waiting(CatalogueShape& shape) {
  Query rows = connection_.query(select_waiting_, shape.id, std::uint64_t{k_waiting_space});
  if (!rows.next()) return Failure{connection_.failure("reading state")};
  if (rows.is_null(0)) return {};
  const std::string_view key = rows.bytes(0);
  if (key.size() >= 8) {
    shape.record.waiting_from.value = from_big_endian(key.substr(0, 8));
    return {};
  }
  return Failure{connection_.corrupt("table shape_state, shape " + std::to_string(shape.id) +
                                     ": a key has no position")};
}

StoreResult<void> Catalogue::find_the_rest(CatalogueShape& shape) {
  if (shape.inners.empty()) return {};
  auto inners = find_inners(shape);
  if (!inners) return inners;
  return find_waiting(shape);
}

StoreResult<std::optional<CatalogueShape>> Catalogue::by_id(std::uint64_t id) {
  Query rows = connection_.query(select_by_id_, id);
  if (rows.next()) {
    auto shape = row_to_shape(rows);
    if (!shape) return shape.failure();
    if (auto inners = find_the_rest(*shape); !inners) return inners.failure();
    if (auto why = find_quarantine(*shape); !why) return why.failure();
    return std::optional(std::move(*shape));
  }
  if (rows.failed()) return Failure{connection_.failure("reading the catalogue")};
  return std::optional<CatalogueShape>{};
}

StoreResult<std::optional<CatalogueShape>> Catalogue::by_identity(const Hash128& identity) {
  const std::string key = pack_identity(identity);
  Query rows = connection_.query(select_by_identity_, Blob{key});
  if (rows.next()) {
    auto shape = row_to_shape(rows);
    if (!shape) return shape.failure();
    if (auto inners = find_the_rest(*shape); !inners) return inners.failure();
    if (auto why = find_quarantine(*shape); !why) return why.failure();
    return std::optional(std::move(*shape));
  }
  if (rows.failed()) return Failure{connection_.failure("reading the catalogue")};
  return std::optional<CatalogueShape>{};
}

StoreResult<std::vector<CatalogueShape>> Catalogue::all() {
  std::vector<CatalogueShape> shapes;
  Query rows = connection_.query(select_all_);
  while (rows.next()) {
    auto shape = row_to_shape(rows);
    if (!shape) return shape.failure();
    if (auto inners = find_the_rest(*shape); !inners) return inners.failure();
    shapes.push_back(std::move(*shape));
  }
  if (rows.failed()) return Failure{connection_.failure("reading the catalogue")};
  Query quarantines = connection_.query(select_quarantines_, std::uint64_t{k_quarantine_space});
  while (quarantines.next()) {
    const auto shape =
        std::lower_bound(shapes.begin(), shapes.end(), quarantines.number(0),
                         [](const CatalogueShape& each, std::uint64_t id) { return each.id < id; });
    if (shape != shapes.end() && shape->id == quarantines.number(0))
      shape->record.quarantine = std::string(quarantines.bytes(1));
  }
  if (quarantines.failed()) return Failure{connection_.failure("reading the catalogue")};
  return shapes;
}

StoreResult<void> Catalogue::find_quarantine(CatalogueShape& shape) {
  Query rows = connection_.query(select_quarantine_, shape.id, std::uint64_t{k_quarantine_space});
  if (rows.next()) shape.record.quarantine = std::string(rows.bytes(0));
  if (rows.failed()) return Failure{connection_.failure("reading the catalogue")};
  return {};
}

StoreResult<std::vector<RemovedShape>> Catalogue::unfinished_removals() {
  std::vector<RemovedShape> removals;
  Query rows = connection_.query(select_unfinished_);
  while (rows.next())
    removals.push_back(
        {{std::string(rows.bytes(0))}, std::string(rows.bytes(1)), std::string(rows.bytes(2))});
  if (rows.failed()) return Failure{connection_.failure("reading removals")};
  return removals;
}

StoreResult<std::optional<std::string>> Catalogue::removed_reason(std::uint64_t id,
                                                                  std::string_view handle) {
  Query rows = connection_.query(select_removed_, id);
  if (rows.next() && rows.bytes(0) == handle)
    return std::optional<std::string>(std::string(rows.bytes(1)));
  if (rows.failed()) return Failure{connection_.failure("reading removals")};
  return std::optional<std::string>{};
}

StoreResult<std::optional<Catalogue::SealedEnd>> Catalogue::sealed_end(std::uint64_t id) {
  Query rows = connection_.query(select_sealed_end_, id);
  if (rows.next()) {
    if (rows.bytes(0).size() != 16)
      return Failure{connection_.corrupt("table run: an offset key has not 16 bytes")};
    return std::optional(SealedEnd{offset_from_key(rows.bytes(0)), rows.number(1)});
  }
  if (rows.failed()) return Failure{connection_.failure("reading runs")};
  return std::optional<SealedEnd>{};
}

}  // namespace holdfast::storage
