// The participant barrier as a data structure: batches in stream order, who still owes an answer to
// which, and the group to commit next. A group is the longest run of answered batches up to a
// number of bytes; it is made when no commit is in flight, so groups are pipelined, not timed
// (design.md §7). A transaction in fragments may span groups: its records are invisible until the
// group that ends it moves the applied position. No process, no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/base/guards.hpp"
#include "core/postgres/lsn.hpp"
#include "core/stack/log/delivery.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class CommitPipeline {
 public:
  /// What a batch covers of the stream.
  struct Extent {
    postgres::Lsn applied;      ///< commit LSN of its last transaction
    postgres::Lsn confirmable;  ///< what may be confirmed once the batch is durable
    std::size_t transactions = 0;
    std::size_t bytes = 0;
    bool must_write = false;  ///< the position itself is to be durable, whatever else there is
    /// Commit LSN of the transaction whose end is still to come after this batch; 0: none.
    postgres::Lsn left_open;
    /// The next batch goes on with a transaction that counts as applied already, since it was once
    /// before: a record of it is visible as soon as it is stored, so both are one commit.
    bool joins_next = false;
  };
  /// A group is closed once its batches have so many bytes.
  static constexpr std::size_t k_group_bytes = 4U << 20;

  explicit CommitPipeline(const Guards& guards = Guards::all());

  /// Adds the next batch; it waits for an answer of every participant.
  BatchNumber open(Extent extent, std::set<protocol::ShapeHandle> participants);
  /// Adds one that covers nothing of the stream.
  BatchNumber open_empty(std::set<protocol::ShapeHandle> participants);
  /// A participant's answer. An answer nobody waits for (the shape was removed) is dropped.
  void contribute(Contribution contribution);
  /// A finished snapshot, with the buffered records it does not contain. It is committed before
  /// whatever its shape still owes an answer for.
  void complete(storage::SnapshotCompletion completion, std::vector<ContributedItem> buffered);
  /// The batch waits for this shape as well. REQUIRES: it still waits for another.
  void join(BatchNumber batch, const protocol::ShapeHandle& handle);
  /// Where something that a shape contributes by itself belongs: the first batch that waits for it,
  /// or for one of `others`, whose answers may make the batch wait for it; else a new one.
  BatchNumber place_aside(const protocol::ShapeHandle& handle,
                          const std::vector<protocol::ShapeHandle>& others = {});
  /// Puts such a contribution there.
  void contribute_aside(Contribution contribution);
  /// The shape's consumer died: what it contributed by itself to a batch that waits for its answer,
  /// or for one of `others`, is committed without waiting for them, since the next consumer begins
  /// with what is stored. It follows from nothing that came with those batches.
  void release(const protocol::ShapeHandle& handle,
               const std::vector<protocol::ShapeHandle>& others);
  /// Whether a shape has contributed state that is not committed.
  bool holds_state_of(const protocol::ShapeHandle& handle) const;
  /// The shape is removed: nothing waits for it any more.
  void forget(const protocol::ShapeHandle& handle);

  /// The group to hand to the store now, if there is one: answered batches wait and no commit is in
  /// flight. `group` is null if nothing of it has to be written. The caller commits it, then calls
  /// committed().
  struct Next {
    std::shared_ptr<const storage::Group> group;
    Extent extent;
    /// What the contributions say of SubqueryPart::waiting_from, in their order.
    std::vector<std::pair<protocol::ShapeHandle, postgres::Lsn>> waiting;
  };
  std::optional<Next> next();
  /// The group handed out by next() is durable.
  void committed();

  bool idle() const { return batches_.empty() && released_.empty() && !in_flight_; }
  bool commit_in_flight() const { return in_flight_; }
  std::size_t bytes() const { return bytes_ + in_flight_bytes_; }
  BatchNumber next_number() const { return next_number_; }
  /// Batches with a smaller number are durable, with all that was contributed to them.
  BatchNumber stored_before() const { return stored_before_; }
  /// Whether the last batch is committed together with the next one.
  bool joins_next() const { return joins_next_; }

 private:
  struct Batch {
    BatchNumber number = 0;
    Extent extent;
    std::set<protocol::ShapeHandle> awaited;
    std::vector<Contribution> contributions;
    std::vector<storage::SnapshotCompletion> completions;

    bool waits_for(const protocol::ShapeHandle& handle,
                   const std::vector<protocol::ShapeHandle>& others) const;
  };

  Batch* find(BatchNumber number);
  /// How many batches are ready to be one group; 0: none.
  std::size_t ready() const;

  bool hold_back_;
  BatchNumber next_number_ = 1;
  std::deque<Batch> batches_;
  std::vector<Contribution> released_;  ///< come before the first batch
  postgres::Lsn handed_out_open_;       ///< left_open of the last group
  postgres::Lsn left_open_;             ///< after the last batch
  bool joins_next_ = false;             ///< the last batch does
  /// Each shape's latest record of the transaction that the last group left open: whether it is the
  /// last one of its transaction shows only later (F-124).
  std::map<protocol::ShapeHandle, ContributedItem> held_back_;
  std::size_t bytes_ = 0;
  Extent reached_;  ///< of everything handed out so far
  bool in_flight_ = false;
  BatchNumber stored_before_ = 1;
  std::size_t in_flight_bytes_ = 0;
  std::set<protocol::ShapeHandle> in_flight_state_;
};

}  // namespace holdfast::stack
