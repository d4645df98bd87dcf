#include "core/stack/subquery/move_rows.hpp"

#include <utility>

#include "core/base/mark_list.hpp"
#include "core/stack/log/snapshot_rows.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {

void MoveRows::spill_if_large(runtime::Process& process, subquery::OuterShape& shape) {
  if (shape.row_bytes() < spill_bytes(context_->options)) return;
  std::string bytes;
  bytes.reserve(shape.row_bytes());
  for (const std::string& row : shape.take_rows()) {
    bytes += row;
    sizes_.push_back(static_cast<std::uint32_t>(row.size()));
  }
  const std::size_t size = bytes.size();
  auto spilled = process.call<&StoreProcess::spill>(names::store, process.self(), handle_, bytes_,
                                                    std::move(bytes));
  if (!spilled.ok()) process.exit(runtime::ExitReason::crash("move: " + spilled.error().message));
  bytes_ += size;
}

void MoveRows::discard() {
  sizes_.clear();
  bytes_ = 0;
}

storage::SpilledRecords MoveRows::place(runtime::Process& process,
                                        const subquery::Output::TakenRows& taken) {
  ASSERT(taken.count == sizes_.size(), "a move's rows are those of its last attempt");
  auto segment = process.call<&StoreProcess::finish_spill>(names::store, process.self());
  if (!segment.ok()) process.exit(runtime::ExitReason::crash("move: " + segment.error().message));
  context_->reached(Mark::move_spilled_to_segment);
  bytes_ = 0;
  return {taken.before, taken.first,
          std::make_shared<const storage::SpilledItems>(
              storage::SpilledItems{std::move(*segment), std::exchange(sizes_, {})})};
}

}  // namespace holdfast::stack
