#include "core/stack/store_slot.hpp"

namespace holdfast::stack {

storage::StoreResult<storage::Slice> RecentSlices::read(storage::Reader& reader,
                                                        const storage::ReadRequest& request) {
  for (const Entry& entry : entries_)
    if (entry.request.handle == request.handle && entry.request.after == request.after &&
        entry.request.head == request.head)
      return entry.slice;
  auto slice = reader.read(request);
  if (!slice.ok() || slice->items.size() > k_slice_bytes_max) return slice;
  if (entries_.size() < k_slices) {
    entries_.push_back({request, *slice});
  } else {
    entries_[oldest_] = {request, *slice};
    oldest_ = (oldest_ + 1) % k_slices;
  }
  return slice;
}

ReaderSet::ReaderSet(const StackEnvironment& environment, const storage::StoreOptions& options,
                     const std::shared_ptr<StoreSlot>& slot) {
  ASSERT(!environment.read_workers.empty(), "an instance has at least one read worker");
  for (runtime::Worker* worker : environment.read_workers) {
    auto seat = std::make_shared<Seat>();
    seat->worker = worker;
    seat->disk = environment.disk;
    seat->stores = environment.stores;
    seat->options = options;
    seat->slot = slot;
    seats_.push_back(std::move(seat));
  }
}

storage::StoreResult<storage::Reader*> ReaderSet::Seat::open() {
  if (reader == nullptr) {
    auto opened = stores->open_reader(*disk, options, slot->index());
    if (!opened.ok()) return opened.failure();
    reader = std::move(*opened);
  } else {
    reader->use_index(slot->index());
  }
  return reader.get();
}

storage::StoreResult<storage::Slice> ReaderSet::read(storage::ReadRequest request) {
  const std::shared_ptr<Seat>& seat = next_seat();
  return runtime::run_job(
      *seat->worker, "store.read",
      [seat, request = std::move(request)]() -> storage::StoreResult<storage::Slice> {
        auto reader = seat->open();
        if (!reader.ok()) return reader.failure();
        return seat->recent.read(**reader, request);
      });
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
