#include "core/stack/commit_pipeline.hpp"

#include <algorithm>
#include <unordered_map>

#include "core/base/assert.hpp"

namespace holdfast::stack {
namespace {

/// Builds one group out of the contributions of several batches, each shared item held once.
class GroupBuilder {
 public:
  void add(Contribution& contribution) {
    if (contribution.items.empty()) return;
    std::vector<storage::RecordRef>& records = appends_[contribution.handle];
    for (const ContributedItem& item : contribution.items) {
      ASSERT(records.empty() || records.back().offset < item.offset,
             "a shape's contributions are in offset order (I-1)");
      records.push_back({item.offset, index_of(item.json), item.last});
    }
  }
  void add(storage::SnapshotCompletion completion) {
    group_->completions.push_back(std::move(completion));
  }
  /// Null if there is nothing to write.
  std::shared_ptr<const storage::Group> finish(const CommitPipeline::Extent& extent) {
    if (appends_.empty() && group_->completions.empty() && !extent.must_write) return nullptr;
    for (auto& [handle, records] : appends_)
      group_->appends.push_back({handle, std::move(records)});
    group_->applied = extent.applied;
    group_->confirmable = extent.confirmable;
    return std::move(group_);
  }

 private:
  std::uint32_t index_of(const SharedItem& item) {
    // Looked up by address, numbered by first use: the addresses decide nothing.
    const auto [entry, added] =
        indices_.try_emplace(item.get(), static_cast<std::uint32_t>(group_->items.size()));
    if (added) group_->items.push_back(item);
    return entry->second;
  }

  std::shared_ptr<storage::Group> group_ = std::make_shared<storage::Group>();
  std::unordered_map<const std::string*, std::uint32_t> indices_;
  std::map<protocol::ShapeHandle, std::vector<storage::RecordRef>> appends_;
};

}  // namespace

BatchNumber CommitPipeline::open(Extent extent, std::set<protocol::ShapeHandle> participants) {
  bytes_ += extent.bytes;
  batches_.push_back({next_number_, extent, std::move(participants), {}, {}});
  return next_number_++;
}

void CommitPipeline::contribute(Contribution contribution) {
  const auto batch = std::find_if(batches_.begin(), batches_.end(),
                                  [&](const Batch& b) { return b.number == contribution.batch; });
  if (batch == batches_.end() || batch->awaited.erase(contribution.handle) == 0) return;
  batch->contributions.push_back(std::move(contribution));
}

void CommitPipeline::complete(storage::SnapshotCompletion completion,
                              std::vector<ContributedItem> buffered) {
  auto batch = std::find_if(batches_.begin(), batches_.end(),
                            [&](const Batch& b) { return b.awaited.contains(completion.handle); });
  if (batch == batches_.end()) {
    open({}, {});
    batch = std::prev(batches_.end());
  }
  // Buffered records first in offset order: whatever the shape answers to this batch comes later.
  batch->contributions.insert(batch->contributions.begin(),
                              Contribution{batch->number, completion.handle, std::move(buffered)});
  batch->completions.push_back(std::move(completion));
}

void CommitPipeline::forget(const protocol::ShapeHandle& handle) {
  for (Batch& batch : batches_) batch.awaited.erase(handle);
}

std::optional<CommitPipeline::Next> CommitPipeline::next() {
  if (in_flight_ || batches_.empty() || !batches_.front().awaited.empty()) return std::nullopt;
  GroupBuilder builder;
  Extent extent;
  while (!batches_.empty() && batches_.front().awaited.empty()) {
    Batch& batch = batches_.front();
    for (storage::SnapshotCompletion& completion : batch.completions)
      builder.add(std::move(completion));
    for (Contribution& contribution : batch.contributions) builder.add(contribution);
    extent.applied = std::max(extent.applied, batch.extent.applied);
    extent.confirmable = std::max(extent.confirmable, batch.extent.confirmable);
    extent.transactions += batch.extent.transactions;
    extent.bytes += batch.extent.bytes;
    extent.must_write = extent.must_write || batch.extent.must_write;
    bytes_ -= batch.extent.bytes;
    batches_.pop_front();
  }
  // A group says how far the stream has come, not what is new in it: batches before it may have had
  // nothing to write, and records that were buffered then are visible only up to this position.
  reached_.applied = std::max(reached_.applied, extent.applied);
  reached_.confirmable = std::max(reached_.confirmable, extent.confirmable);
  extent.applied = reached_.applied;
  extent.confirmable = reached_.confirmable;
  in_flight_ = true;
  in_flight_bytes_ = extent.bytes;
  return Next{builder.finish(extent), extent};
}

void CommitPipeline::committed() {
  ASSERT(in_flight_, "a commit is reported once");
  in_flight_ = false;
  in_flight_bytes_ = 0;
}

}  // namespace holdfast::stack
