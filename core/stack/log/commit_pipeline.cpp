#include "core/stack/log/commit_pipeline.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/guard_list.hpp"

namespace holdfast::stack {
namespace {

/// Builds one group out of the contributions of several batches, each shared item held once.
class GroupBuilder {
 public:
  void add(const protocol::ShapeHandle& handle, const std::vector<ContributedItem>& items,
           const std::vector<storage::SpilledRecords>& spilled = {}) {
    if (items.empty()) return;
    ASSERT(spilled.empty() || spilled.back().before < items.size(),
           "of what a splice writes the last record is held");
    Append& append = appends_[handle];
    std::vector<storage::RecordRef>& records = append.records;
    auto rows = spilled.begin();
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (; rows != spilled.end() && rows->before == i; ++rows) add(append, *rows);
      const ContributedItem& item = items[i];
      if (!records.empty() && !append.settled) {
        storage::RecordRef& before = records.back();
        ASSERT(before.offset < item.offset, "a shape's contributions are in offset order (I-1)");
        before.last = !append.injected && (before.offset.tx != item.offset.tx || item.injected);
      }
      records.push_back({item.offset, index_of(item.json), false});
      append.injected = item.injected;
      append.settled = false;
    }
  }
  void add(const protocol::ShapeHandle& handle, SubqueryPart& part) {
    if (part.completion) add(std::move(*part.completion));
    if (!part.state.empty()) state_of_.insert(handle);
    if (part.waiting_from) waiting_.emplace_back(handle, *part.waiting_from);
    group_->state.insert(group_->state.end(), std::make_move_iterator(part.state.begin()),
                         std::make_move_iterator(part.state.end()));
  }
  const std::set<protocol::ShapeHandle>& state_of() const { return state_of_; }
  std::vector<std::pair<protocol::ShapeHandle, postgres::Lsn>> waiting() {
    return std::move(waiting_);
  }
  void add(const std::vector<storage::StateChange>& state) {
    group_->state.insert(group_->state.end(), state.begin(), state.end());
  }
  void add(storage::SnapshotCompletion completion) {
    group_->completions.push_back(std::move(completion));
  }
  /// Takes back each shape's latest record of a transaction that goes on after this group.
  std::map<protocol::ShapeHandle, ContributedItem> take_back(postgres::Lsn left_open) {
    std::map<protocol::ShapeHandle, ContributedItem> taken;
    for (auto append = appends_.begin(); append != appends_.end();) {
      const protocol::ShapeHandle& handle = append->first;
      std::vector<storage::RecordRef>& records = append->second.records;
      if (records.back().offset.tx == left_open.value) {
        const storage::RecordRef& latest = records.back();
        taken.emplace(handle, ContributedItem{latest.offset, group_->items[latest.item]});
        records.pop_back();
      }
      append = records.empty() ? appends_.erase(append) : std::next(append);
    }
    return taken;
  }
  /// Null if there is nothing to write.
  std::shared_ptr<const storage::Group> finish(const CommitPipeline::Extent& extent) {
    for (auto& [handle, append] : appends_)
      append.records.back().last =
          append.records.back().offset.tx != extent.left_open.value && !append.injected;
    if (appends_.empty() && group_->completions.empty() && group_->state.empty() &&
        !extent.must_write)
      return nullptr;
    for (auto& [handle, append] : appends_)
      group_->appends.push_back({handle, std::move(append.records), std::move(append.spilled)});
    group_->applied = extent.applied;
    group_->confirmable = extent.confirmable;
    return std::move(group_);
  }

 private:
  struct Append {
    std::vector<storage::RecordRef> records;
    std::vector<storage::SpilledRecords> spilled;
    bool injected = false;  ///< the latest one
    bool settled = false;   ///< whether the latest one that is held is `last` was decided
  };

  /// No transaction goes on from what is held into them.
  static void add(Append& append, storage::SpilledRecords spilled) {
    if (!append.records.empty() && !append.settled) append.records.back().last = !append.injected;
    append.settled = true;
    spilled.before = append.records.size();
    append.spilled.push_back(std::move(spilled));
  }

  std::uint32_t index_of(const SharedItem& item) {
    // Looked up by address, numbered by first use: the addresses decide nothing.
    const auto [entry, added] =
        indices_.try_emplace(item.get(), static_cast<std::uint32_t>(group_->items.size()));
    if (added) group_->items.push_back(item);
    return entry->second;
  }

  std::shared_ptr<storage::Group> group_ = std::make_shared<storage::Group>();
  std::unordered_map<const std::string*, std::uint32_t> indices_;
  std::map<protocol::ShapeHandle, Append> appends_;
  std::set<protocol::ShapeHandle> state_of_;
  std::vector<std::pair<protocol::ShapeHandle, postgres::Lsn>> waiting_;
};

}  // namespace

CommitPipeline::CommitPipeline(const Guards& guards)
    : hold_back_(guards.on(Guard::hold_back_last_record)) {}

BatchNumber CommitPipeline::open(Extent extent, std::set<protocol::ShapeHandle> participants) {
  bytes_ += extent.bytes;
  left_open_ = extent.left_open;
  joins_next_ = extent.joins_next;
  batches_.push_back({next_number_, extent, std::move(participants), {}, {}});
  return next_number_++;
}

BatchNumber CommitPipeline::open_empty(std::set<protocol::ShapeHandle> participants) {
  Extent nothing;
  nothing.left_open = left_open_;
  nothing.joins_next = joins_next_;
  return open(nothing, std::move(participants));
}

CommitPipeline::Batch* CommitPipeline::find(BatchNumber number) {
  if (batches_.empty() || number < batches_.front().number) return nullptr;
  const std::size_t at = static_cast<std::size_t>(number - batches_.front().number);
  return at < batches_.size() ? &batches_[at] : nullptr;
}

void CommitPipeline::contribute(Contribution contribution) {
  Batch* const batch = find(contribution.batch);
  if (batch == nullptr || batch->awaited.erase(contribution.handle) == 0) return;
  batch->contributions.push_back(std::move(contribution));
}

void CommitPipeline::join(BatchNumber number, const protocol::ShapeHandle& handle) {
  Batch* const batch = find(number);
  ASSERT(batch != nullptr, "a batch that waits is not handed out");
  batch->awaited.insert(handle);
}

BatchNumber CommitPipeline::place_aside(const protocol::ShapeHandle& handle,
                                        const std::vector<protocol::ShapeHandle>& others) {
  for (const Batch& batch : batches_)
    if (batch.waits_for(handle, others)) return batch.number;
  return open_empty({});
}

bool CommitPipeline::Batch::waits_for(const protocol::ShapeHandle& handle,
                                      const std::vector<protocol::ShapeHandle>& others) const {
  return awaited.contains(handle) ||
         std::any_of(others.begin(), others.end(),
                     [&](const auto& each) { return awaited.contains(each); });
}

void CommitPipeline::contribute_aside(Contribution contribution) {
  Batch* const batch = find(contribution.batch);
  ASSERT(batch != nullptr, "what comes by itself is given a place first");
  batch->contributions.push_back(std::move(contribution));
}

bool CommitPipeline::holds_state_of(const protocol::ShapeHandle& handle) const {
  if (in_flight_state_.contains(handle)) return true;
  const auto writes = [&](const Contribution& each) {
    return each.handle == handle && each.subquery && each.subquery->writes();
  };
  return std::any_of(released_.begin(), released_.end(), writes) ||
         std::any_of(batches_.begin(), batches_.end(), [&](const Batch& batch) {
           return std::any_of(batch.contributions.begin(), batch.contributions.end(), writes);
         });
}

void CommitPipeline::release(const protocol::ShapeHandle& handle,
                             const std::vector<protocol::ShapeHandle>& others) {
  std::vector<Contribution>* before = &released_;
  bool waits = false;
  for (Batch& batch : batches_) {
    waits = waits || batch.waits_for(handle, others);
    if (!waits) {
      before = &batch.contributions;
      continue;
    }
    const auto rest =
        std::stable_partition(batch.contributions.begin(), batch.contributions.end(),
                              [&](const Contribution& each) { return each.handle != handle; });
    before->insert(before->end(), std::make_move_iterator(rest),
                   std::make_move_iterator(batch.contributions.end()));
    batch.contributions.erase(rest, batch.contributions.end());
  }
}

void CommitPipeline::complete(storage::SnapshotCompletion completion,
                              std::vector<ContributedItem> buffered) {
  Batch& batch = *find(place_aside(completion.handle));
  // Buffered records first in offset order: whatever the shape answers to this batch comes later.
  batch.contributions.push_back({batch.number, completion.handle, std::move(buffered)});
  batch.completions.push_back(std::move(completion));
}

void CommitPipeline::forget(const protocol::ShapeHandle& handle) {
  for (Batch& batch : batches_) batch.awaited.erase(handle);
  held_back_.erase(handle);
}

std::size_t CommitPipeline::ready() const {
  std::size_t ready = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batches_.size() && batches_[i].awaited.empty(); ++i) {
    bytes += batches_[i].extent.bytes;
    if (batches_[i].extent.joins_next) continue;
    ready = i + 1;
    if (bytes >= k_group_bytes) break;
  }
  return ready;
}

std::optional<CommitPipeline::Next> CommitPipeline::next() {
  std::size_t left = in_flight_ ? 0 : ready();
  if (in_flight_ || (left == 0 && released_.empty())) return std::nullopt;
  GroupBuilder builder;
  Extent extent;
  extent.left_open = handed_out_open_;
  for (const auto& [handle, item] : held_back_) builder.add(handle, {item});
  const auto add = [&](const Contribution& contribution) {
    if (contribution.subquery) {
      builder.add(contribution.handle, contribution.items, contribution.subquery->spilled);
      builder.add(contribution.handle, *contribution.subquery);
    } else {
      builder.add(contribution.handle, contribution.items);
    }
    builder.add(contribution.state);
  };
  for (const Contribution& contribution : std::exchange(released_, {})) add(contribution);
  for (; left > 0; --left) {
    Batch& batch = batches_.front();
    for (storage::SnapshotCompletion& completion : batch.completions)
      builder.add(std::move(completion));
    for (const Contribution& contribution : batch.contributions) add(contribution);
    extent.applied = std::max(extent.applied, batch.extent.applied);
    extent.confirmable = std::max(extent.confirmable, batch.extent.confirmable);
    extent.transactions += batch.extent.transactions;
    extent.bytes += batch.extent.bytes;
    extent.must_write = extent.must_write || batch.extent.must_write;
    extent.left_open = batch.extent.left_open;
    bytes_ -= batch.extent.bytes;
    batches_.pop_front();
  }
  // A group says how far the stream has come, not what is new in it: batches before it may have had
  // nothing to write, and records that were buffered then are visible only up to this position.
  reached_.applied = std::max(reached_.applied, extent.applied);
  reached_.confirmable = std::max(reached_.confirmable, extent.confirmable);
  extent.applied = reached_.applied;
  extent.confirmable = reached_.confirmable;
  handed_out_open_ = extent.left_open;
  held_back_.clear();
  if (extent.left_open.value != 0 && hold_back_) held_back_ = builder.take_back(extent.left_open);
  in_flight_ = true;
  in_flight_state_ = builder.state_of();
  in_flight_bytes_ = extent.bytes;
  return Next{builder.finish(extent), extent, builder.waiting()};
}

void CommitPipeline::committed() {
  ASSERT(in_flight_, "a commit is reported once");
  in_flight_ = false;
  in_flight_bytes_ = 0;
  in_flight_state_.clear();
  stored_before_ = batches_.empty() ? next_number_ : batches_.front().number;
}

}  // namespace holdfast::stack
