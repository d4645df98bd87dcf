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
  if (reader == nullptr) {
    auto opened = storage::open_reader(*disk, options, slot->index());
    if (!opened.ok()) return opened.failure();
    reader = std::move(*opened);
  } else {
    reader->use_index(slot->index());
  }
  return reader.get();
}

void ReaderSet::close() {
  for (const std::shared_ptr<Seat>& seat : seats_)
    runtime::run_job(*seat->worker, "reader.close", [seat] { seat->reader.reset(); });
}

void ReaderSet::abandon() {
  for (const std::shared_ptr<Seat>& seat : seats_)
    seat->worker->submit(
        "reader.abandon", [seat] { seat->reader.reset(); }, runtime::Wakeup{});
}

}  // namespace holdfast::stack
