#include "core/stack/store_slot.hpp"

namespace holdfast::stack {

ReaderSet::ReaderSet(env::Disk& disk, storage::StoreOptions options,
                     std::shared_ptr<StoreSlot> slot, std::vector<runtime::Worker*> workers) {
  ASSERT(!workers.empty(), "an instance has at least one read worker");
  for (runtime::Worker* worker : workers) {
    auto seat = std::make_shared<Seat>();
    seat->worker = worker;
    seat->disk = &disk;
    seat->options = options;
    seat->slot = slot;
    seats_.push_back(std::move(seat));
  }
}

storage::StoreResult<storage::Reader*> ReaderSet::Seat::open() {
  std::shared_ptr<const storage::JournalIndex> index = slot->index();
  if (reader == nullptr || opened_with != index) {
    reader.reset();
    auto opened = storage::open_reader(*disk, options, index);
    if (!opened.ok()) return opened.failure();
    reader = std::move(*opened);
    opened_with = std::move(index);
  }
  return reader.get();
}

void ReaderSet::close() {
  for (const std::shared_ptr<Seat>& seat : seats_)
    runtime::run_job(*seat->worker, "reader.close", [seat] { seat->forget(); });
}

void ReaderSet::abandon() {
  for (const std::shared_ptr<Seat>& seat : seats_)
    seat->worker->submit(
        "reader.abandon", [seat] { seat->forget(); }, runtime::Wakeup{});
}

}  // namespace holdfast::stack
