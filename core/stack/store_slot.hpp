// What of the store outlives a killed process: the open database, used by jobs of the write worker
// only, and the readers, each used by jobs of its own worker only. A process that is killed while a
// job runs abandons the wait, not the job; its successor's jobs come after it on the same worker,
// so no connection ever has two jobs (design.md §5).
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/spin_lock.hpp"
#include "core/runtime/suspend.hpp"
#include "core/stack/context.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class StoreSlot {
 public:
  /// Used inside jobs of the write worker only; null until take-over.
  std::unique_ptr<storage::Store> store;

  /// The journal index of the store that holds the epoch; null while none does.
  std::shared_ptr<const storage::JournalIndex> index() const {
    SpinGuard guard(lock_);
    return index_;
  }
  void set_index(std::shared_ptr<const storage::JournalIndex> index) {
    SpinGuard guard(lock_);
    index_ = std::move(index);
  }

  /// For so long after it has seen that nobody has taken over, an instance believes its read
  /// models. Whoever takes over waits as long before it removes a shape, so that none is served
  /// any more once a 409 has ended it (I-43): a leader whose sessions were lost may be the last to
  /// hear of it.
  static constexpr Duration k_lease = std::chrono::milliseconds(250);

  /// The store's epoch was this instance's at that moment, or later.
  void epoch_was_ours(Instant at) {
    SpinGuard guard(lock_);
    believed_until_ = std::max(believed_until_, at + k_lease);
  }
  bool epoch_is_ours(Instant now) const {
    SpinGuard guard(lock_);
    return now < believed_until_;
  }

 private:
  mutable SpinLock lock_;
  std::shared_ptr<const storage::JournalIndex> index_;
  Instant believed_until_;
};

/// The slices that were read last. A shape's clients wake together and ask for the same range,
/// which never reads differently once its head was shown (I-9).
class RecentSlices {
 public:
  static constexpr std::size_t k_slices = 16;
  static constexpr std::size_t k_slice_bytes_max = 64ULL << 10;  ///< larger ones are read again

  storage::StoreResult<storage::Slice> read(storage::Reader& reader,
                                            const storage::ReadRequest& request);

 private:
  struct Entry {
    storage::ReadRequest request;
    storage::Slice slice;
  };
  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;
};

/// The read connections of one instance, one a read worker.
class ReaderSet {
 public:
  ReaderSet(const StackEnvironment& environment, const storage::StoreOptions& options,
            const std::shared_ptr<StoreSlot>& slot);

  /// Runs `use(reader)` as a job on one of the read workers and returns its StoreResult. A store
  /// that does not exist yet is StoreFailure::not_found. SUSPENDS.
  template <class F>
  auto with_reader(const char* label, F use) -> std::invoke_result_t<F, storage::Reader&> {
    using R = std::invoke_result_t<F, storage::Reader&>;
    const std::shared_ptr<Seat>& seat = next_seat();
    return runtime::run_job(*seat->worker, label, [seat, use = std::move(use)]() mutable -> R {
      storage::StoreResult<storage::Reader*> reader = seat->open();
      if (!reader.ok()) return reader.failure();
      return use(**reader);
    });
  }

  /// As Reader::read(). SUSPENDS.
  storage::StoreResult<storage::Slice> read(storage::ReadRequest request);

  /// A worker with a big stack, for parsing (design.md §5).
  runtime::Worker& parse_worker() { return *next_seat()->worker; }

  /// Closes every reader, on its worker. SUSPENDS.
  void close();
  /// As close(), without waiting.
  void abandon();

 private:
  struct Seat {
    runtime::Worker* worker = nullptr;
    env::Disk* disk = nullptr;
    std::shared_ptr<storage::StoreSource> stores;
    storage::StoreOptions options;
    std::shared_ptr<StoreSlot> slot;
    std::unique_ptr<storage::Reader> reader;
    RecentSlices recent;

    /// The reader, opened at the first use, finding records by the index of the store as it is now.
    storage::StoreResult<storage::Reader*> open();
  };

  const std::shared_ptr<Seat>& next_seat() {
    return seats_[turn_.fetch_add(1, std::memory_order_relaxed) % seats_.size()];
  }

  std::vector<std::shared_ptr<Seat>> seats_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace holdfast::stack
