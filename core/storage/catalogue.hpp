// Reading the catalogue: handles, packed snapshots, shapes and removals. Shared by the store and
// its readers; writes nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/connection.hpp"
#include "core/storage/schema.hpp"

namespace holdfast::storage {

/// "<digits of the identity>-<counter>"; the counter is handle_base + shape id.
std::string make_handle(const Hash128& identity, std::uint64_t counter);
/// The counter of a handle's text; nullopt: not the form of a handle of ours.
std::optional<std::uint64_t> handle_counter(std::string_view handle);

std::string pack_identity(const Hash128& identity);
std::string pack_inners(const std::vector<std::uint64_t>& ids);
std::string pack_snapshot(const postgres::Snapshot& snapshot);
std::optional<postgres::Snapshot> unpack_snapshot(std::string_view bytes);

/// Rows of `snapshot_part` are numbered by shape and chunk.
inline constexpr unsigned k_part_bits = 24;
constexpr std::uint64_t part_id(std::uint64_t shape, std::uint64_t chunk) {
  return (shape << k_part_bits) | chunk;
}

/// States of a row in `removed`.
enum class RemovalState : std::uint8_t {
  open = 0,       ///< later steps of the removal are not done
  finished = 1,   ///< its data may be collected
  collected = 2,  ///< only the reason is left
};

struct CatalogueShape {
  std::uint64_t id = 0;
  ShapeRecord record;  ///< head: -1 or 0_inf; inners without handles: both are looked up elsewhere
  std::vector<std::uint64_t> inners;  ///< by dependency index
};

class Catalogue {
 public:
  explicit Catalogue(Connection& connection) : connection_(connection) {}

  StoreResult<std::optional<CatalogueShape>> by_id(std::uint64_t id);
  StoreResult<std::optional<CatalogueShape>> by_identity(const Hash128& identity);
  /// In order of creation.
  StoreResult<std::vector<CatalogueShape>> all();
  StoreResult<std::vector<RemovedShape>> unfinished_removals();
  /// The reason, when the handle with this id was removed.
  StoreResult<std::optional<std::string>> removed_reason(std::uint64_t id, std::string_view handle);
  /// The last sealed record of a shape and the bytes of its open chunk; nullopt: none is sealed.
  struct SealedEnd {
    protocol::LogOffset last;
    std::uint64_t open_bytes = 0;
  };
  StoreResult<std::optional<SealedEnd>> sealed_end(std::uint64_t id);

 private:
  StoreResult<CatalogueShape> row_to_shape(const Query& rows) const;
  StoreResult<void> find_quarantine(CatalogueShape& shape);
  /// The handles of its inner shapes. They live as long as it does (I-37).
  StoreResult<void> find_inners(CatalogueShape& shape);
  StoreResult<void> find_waiting(CatalogueShape& shape);
  StoreResult<void> find_the_rest(CatalogueShape& shape);

  Connection& connection_;
  Statement select_by_id_{
      "SELECT id, handle, identity, chunks, snapshot, definition, role, inners FROM shape "
      "WHERE id=?1"};
  Statement select_by_identity_{
      "SELECT id, handle, identity, chunks, snapshot, definition, role, inners FROM shape "
      "WHERE identity=?1"};
  Statement select_all_{
      "SELECT id, handle, identity, chunks, snapshot, definition, role, inners FROM shape "
      "ORDER BY id"};
  Statement select_waiting_{"SELECT min(key) FROM shape_state WHERE shape=?1 AND space=?2"};
  Statement select_quarantine_{
      "SELECT value FROM shape_state WHERE shape=?1 AND space=?2 AND key=x''"};
  Statement select_quarantines_{"SELECT shape, value FROM shape_state WHERE space=?1 AND key=x''"};
  Statement select_handle_{"SELECT handle FROM shape WHERE id=?1"};
  Statement select_unfinished_{
      "SELECT handle, reason, definition FROM removed WHERE state=0 ORDER BY id"};
  Statement select_removed_{"SELECT handle, reason FROM removed WHERE id=?1"};
  Statement select_sealed_end_{
      "SELECT last, open_bytes FROM run WHERE shape=?1 ORDER BY last DESC LIMIT 1"};
};

}  // namespace holdfast::storage
