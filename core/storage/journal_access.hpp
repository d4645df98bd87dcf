// Fetches journal records through a connection: rows by id, checked, with a small cache of what was
// decoded last. Owned by whoever owns the connection; used inside its transactions. Rows never
// change while an epoch lasts, so the cache holds as long as the epoch does.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "core/storage/connection.hpp"
#include "core/storage/journal_format.hpp"
#include "core/storage/journal_index.hpp"

namespace holdfast::storage {

struct JournalRecord {
  protocol::LogOffset offset;
  std::string_view json;  ///< valid until the visitor returns
  std::uint64_t item = 0;
  bool last = false;
  bool closes_chunk = false;
};

enum class Visit : std::uint8_t { more, stop };

class JournalAccess {
 public:
  JournalAccess(Connection& connection, std::size_t cache_bytes)
      : connection_(connection), cache_limit_(cache_bytes) {}

  /// Forgets everything cached under another epoch.
  void use_epoch(std::uint64_t epoch);
  /// Forgets everything: recovery read rows that it then cut, and whose numbers come again.
  void forget();
  /// The entry's records in order, until the visitor stops.
  StoreResult<void> visit(std::uint64_t shape, const JournalEntry& entry,
                          const std::function<Visit(const JournalRecord&)>& visitor);
  /// The same for a section that is at hand.
  StoreResult<void> visit(const ItemRows& items, const Section& section,
                          const std::function<Visit(const JournalRecord&)>& visitor);
  /// Calls back for each reference row above `after`, in order.
  StoreResult<void> scan(
      std::uint64_t after,
      const std::function<StoreResult<void>(std::uint64_t row, const ReferenceRow&)>& visitor);

 private:
  StoreResult<std::shared_ptr<const ReferenceRow>> reference_row(std::uint64_t row);
  StoreResult<std::shared_ptr<const ItemBlock>> item_block(std::uint64_t row);
  StoreError bad_row(const char* table, std::uint64_t row) const;

  Connection& connection_;
  std::size_t cache_limit_;
  std::uint64_t epoch_ = 0;
  std::uint64_t cached_row_ = 0;
  std::shared_ptr<const ReferenceRow> cached_references_;
  std::map<std::uint64_t, std::shared_ptr<const ItemBlock>> blocks_;
  std::size_t cached_bytes_ = 0;
  Statement select_references_{"SELECT refs FROM journal WHERE id=?1"};
  Statement select_items_{"SELECT bytes FROM item WHERE id=?1"};
  Statement scan_references_{"SELECT id, refs FROM journal WHERE id>?1 ORDER BY id"};
};

}  // namespace holdfast::storage
