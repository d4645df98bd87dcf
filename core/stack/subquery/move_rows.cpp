#include "core/stack/subquery/move_rows.hpp"

#include <utility>

#include "core/base/mark_list.hpp"
#include "core/stack/log/snapshot_rows.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {

void MoveRows::write(runtime::Process& process, std::string bytes) {
  const std::size_t size = bytes.size();
  auto spilled = process.call<&StoreProcess::spill>(names::store, process.self(), handle_, bytes_,
                                                    std::move(bytes));
  if (!spilled.ok()) process.exit(runtime::ExitReason::crash("move: " + spilled.error().message));
  bytes_ += size;
}

void MoveRows::spill_if_large(runtime::Process& process, subquery::OuterShape& shape) {
  if (shape.row_bytes() < spill_bytes(context_->options)) return;
  std::string bytes;
  bytes.reserve(shape.row_bytes());
  for (const std::string& row : shape.take_rows()) {
    bytes += row;
    sizes_.push_back(static_cast<std::uint32_t>(row.size()));
  }
  write(process, std::move(bytes));
}

void MoveRows::discard() {
  ASSERT(placed_.empty(), "what has its place is finished first");
  sizes_.clear();
  bytes_ = 0;
}

void MoveRows::place(const subquery::Output::TakenRows& taken,
                     std::vector<storage::SpilledRecords>& spilled) {
  ASSERT(taken.count == sizes_.size(), "a move's rows are those of its last attempt");
  context_->reached(Mark::move_spilled_to_segment);
  placed_.push_back(std::make_shared<storage::SpilledItems>());
  placed_.back()->sizes = std::exchange(sizes_, {});
  spilled.push_back({taken.before, taken.first, placed_.back()});
}

storage::SpilledRecords MoveRows::write(runtime::Process& process,
                                        std::span<const ContributedItem> items,
                                        const ContributedItem* after) {
  auto made = std::make_shared<storage::SpilledItems>();
  made->begin = bytes_;
  storage::SpilledRecords records{0, items.front().offset, made};
  std::string bytes;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ContributedItem& item = items[i];
    const ContributedItem* const next = i + 1 < items.size() ? &items[i + 1] : after;
    const bool goes_on = next != nullptr && !next->injected && next->offset.tx == item.offset.tx;
    bytes += *item.json;
    made->sizes.push_back(static_cast<std::uint32_t>(item.json->size()));
    records.places.push_back({item.offset, !item.injected && !goes_on});
  }
  write(process, std::move(bytes));
  placed_.push_back(std::move(made));
  return records;
}

void MoveRows::spill_if_large(runtime::Process& process, std::vector<ContributedItem>& items,
                              std::vector<storage::SpilledRecords>& spilled) {
  std::size_t bytes = 0;
  for (const ContributedItem& item : items) bytes += item.json->size();
  if (items.size() < 2 || bytes < spill_bytes(context_->options)) return;
  context_->reached(Mark::splice_spilled_to_segment);
  const std::span<const ContributedItem> all = items;
  std::vector<storage::SpilledRecords> in_order;
  std::size_t done = 0;
  for (storage::SpilledRecords& before : spilled) {
    ASSERT(before.before < items.size(), "after the rows of a move comes the end of its snapshot");
    if (done < before.before)
      in_order.push_back(write(process, all.subspan(done, before.before - done), nullptr));
    done = std::exchange(before.before, 0);
    in_order.push_back(std::move(before));
  }
  if (done + 1 < items.size())
    in_order.push_back(write(process, all.subspan(done, items.size() - 1 - done), &items.back()));
  spilled = std::move(in_order);
  items.erase(items.begin(), items.end() - 1);
}

void MoveRows::finish(runtime::Process& process) {
  if (placed_.empty()) return;
  auto segment = process.call<&StoreProcess::finish_spill>(names::store, process.self());
  if (!segment.ok()) process.exit(runtime::ExitReason::crash("move: " + segment.error().message));
  for (const auto& items : placed_) items->segment = *segment;
  placed_.clear();
  bytes_ = 0;
}

}  // namespace holdfast::stack
