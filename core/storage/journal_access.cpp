#include "core/storage/journal_access.hpp"

namespace holdfast::storage {

void JournalAccess::use_epoch(std::uint64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  forget();
}

void JournalAccess::forget() {
  cached_row_ = 0;
  cached_references_.reset();
  blocks_.clear();
  cached_bytes_ = 0;
}

StoreError JournalAccess::bad_row(const char* table, std::uint64_t row) const {
  return connection_.corrupt(std::string("table ") + table + ", row " + std::to_string(row) +
                             ": missing, or its checksum or lengths are wrong");
}

StoreResult<std::shared_ptr<const ReferenceRow>> JournalAccess::reference_row(std::uint64_t row) {
  if (cached_references_ != nullptr && cached_row_ == row) return cached_references_;
  Query rows = connection_.query(select_references_, row);
  if (!rows.next()) {
    if (rows.failed()) return Failure{connection_.failure("reading the journal")};
    return Failure{bad_row("journal", row)};
  }
  auto parsed = ReferenceRow::parse(std::string(rows.bytes(0)));
  if (!parsed) return Failure{bad_row("journal", row)};
  cached_references_ = std::make_shared<const ReferenceRow>(std::move(*parsed));
  cached_row_ = row;
  return cached_references_;
}

StoreResult<std::shared_ptr<const ItemBlock>> JournalAccess::item_block(std::uint64_t row) {
  const auto cached = blocks_.find(row);
  if (cached != blocks_.end()) return cached->second;
  Query rows = connection_.query(select_items_, row);
  if (!rows.next()) {
    if (rows.failed()) return Failure{connection_.failure("reading the journal")};
    return Failure{bad_row("item", row)};
  }
  auto parsed = ItemBlock::parse(std::string(rows.bytes(0)));
  if (!parsed) return Failure{bad_row("item", row)};
  auto block = std::make_shared<const ItemBlock>(std::move(*parsed));
  cached_bytes_ += block->memory_bytes();
  blocks_.emplace(row, block);
  // The oldest rows go first: readers follow the tail, sealing goes upwards shape by shape.
  while (cached_bytes_ > cache_limit_ && blocks_.size() > 1) {
    cached_bytes_ -= blocks_.begin()->second->memory_bytes();
    blocks_.erase(blocks_.begin());
  }
  return block;
}

StoreResult<void> JournalAccess::visit(std::uint64_t shape, const JournalEntry& entry,
                                       const std::function<Visit(const JournalRecord&)>& visitor) {
  auto row = reference_row(entry.row);
  if (!row) return row.failure();
  const std::shared_ptr<const ReferenceRow> references = *row;
  const auto section = references->section(shape, entry.position, entry.bytes);
  if (!section) return Failure{bad_row("journal", entry.row)};
  return visit(references->items(), *section, visitor);
}

StoreResult<void> JournalAccess::visit(const ItemRows& items, const Section& section,
                                       const std::function<Visit(const JournalRecord&)>& visitor) {
  RecordDecoder decoder(section);
  PackedRecord packed;
  std::shared_ptr<const ItemBlock> block;
  std::uint64_t block_begin = 0;
  std::uint64_t block_end = 0;
  while (decoder.next(packed)) {
    if (packed.item < block_begin || packed.item >= block_end) {
      std::uint64_t row = items.first_row;
      block_end = 0;
      for (const std::uint64_t count : items.counts) {
        block_begin = block_end;
        block_end += count;
        if (packed.item < block_end) break;
        ++row;
      }
      if (packed.item >= block_end) return Failure{bad_row("item", row)};
      auto loaded = item_block(row);
      if (!loaded) return loaded.failure();
      block = *loaded;
      if (block->size() != block_end - block_begin) return Failure{bad_row("item", row)};
    }
    const auto i = static_cast<std::size_t>(packed.item - block_begin);
    const JournalRecord record{.offset = packed.offset ? *packed.offset : block->offset(i),
                               .json = block->json(i),
                               .item = packed.item,
                               .last = packed.last,
                               .closes_chunk = packed.closes_chunk};
    if (visitor(record) == Visit::stop) return {};
  }
  if (decoder.failed())
    return Failure{connection_.corrupt("table journal: a section of shape " +
                                       std::to_string(section.header.shape) + " is malformed")};
  return {};
}

StoreResult<void> JournalAccess::scan(
    std::uint64_t after,
    const std::function<StoreResult<void>(std::uint64_t, const ReferenceRow&)>& visitor) {
  Query rows = connection_.query(scan_references_, after);
  while (rows.next()) {
    const std::uint64_t id = rows.number(0);
    const auto parsed = ReferenceRow::parse(std::string(rows.bytes(1)));
    if (!parsed) return Failure{bad_row("journal", id)};
    auto visited = visitor(id, *parsed);
    if (!visited) return visited;
  }
  if (rows.failed()) return Failure{connection_.failure("reading the journal")};
  return {};
}

}  // namespace holdfast::storage
