// What travels between the collector and the consumers: a batch's changes one way, contributions
// the other. Values; the transactions, their encodings and the items are shared, immutable or
// locked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/spin_lock.hpp"
#include "core/postgres/stream.hpp"
#include "core/protocol/offset.hpp"
#include "core/shape/log_item.hpp"
#include "core/storage/store.hpp"
#include "core/subquery/materializer_state.hpp"
#include "core/subquery/move_queue.hpp"
#include "core/subquery/value_set.hpp"

namespace holdfast::stack {

/// Numbers batches in the order of the stream, from 1, within one incarnation of the collector.
using BatchNumber = std::uint64_t;

using SharedItem = std::shared_ptr<const std::string>;

/// One record of a shape's log, without its `last` header: that is the pipeline's to decide.
struct ContributedItem {
  protocol::LogOffset offset;
  SharedItem json;
  /// It is of no transaction, though its offset goes on in one: the transaction ends before it, and
  /// it has no `last` of its own (http-api.md §6.4).
  bool injected = false;
};

/// The encodings of one transaction's changes, made by whichever consumer needs one first and
/// shared by all shapes that encode alike (design.md §7: one encoded change, many logs).
class EncodedChanges {
 public:
  struct Key {
    std::uint32_t change = 0;
    bool old_in = false;
    bool new_in = false;
    Hash128 encoding;
    auto operator<=>(const Key&) const = default;
  };
  using Items = std::shared_ptr<const std::vector<ContributedItem>>;

  /// The items under `key`, made by `encode()` if nobody made them yet. `encode` must not suspend.
  template <class F>
  Items find_or_make(const Key& key, F encode) {
    {
      SpinGuard guard(lock_);
      if (const auto found = items_.find(key); found != items_.end()) return found->second;
    }
    Items made = encode();
    SpinGuard guard(lock_);
    return items_.emplace(key, std::move(made)).first->second;
  }

 private:
  SpinLock lock_;
  std::map<Key, Items> items_;
};

/// The part of one transaction, or of a fragment of it, that concerns one shape.
struct DeliveredTransaction {
  std::shared_ptr<const postgres::Transaction> transaction;
  std::shared_ptr<EncodedChanges> encoded;
  std::vector<std::uint32_t> changes;  ///< indices, ascending
};

/// Whether a snapshot will do for whoever took it.
enum class SnapshotVerdict : std::uint8_t {
  accepted,
  too_early,   ///< it misses something that had passed before: another is to be taken
  not_wanted,  ///< nobody waits for it any more
};

/// What one shape gets of one batch. In this order: moves, subscription, transactions, position.
struct Delivery {
  BatchNumber batch = 0;
  BatchNumber stored_before = 0;  ///< what was contributed to batches before this is durable
  std::vector<DeliveredTransaction> transactions;

  // -- shapes with subqueries, and inner ones; to these a transaction comes whole -----------------

  /// What the batch did to the results that its subqueries select, by dependency.
  std::vector<std::pair<std::size_t, subquery::Moves>> moves;
  /// The whole results, by dependency, as they are after the moves; of all of them or none.
  std::map<std::size_t, subquery::ValueSet> values;
  bool subscribes = false;    ///< the values are to come
  bool wants_values = false;  ///< the contribution is to bring the shape's own result
  postgres::Lsn position;     ///< every transaction with a commit record before it was given
};

/// What a shape with subqueries, or an inner one, contributes beside its items.
struct SubqueryPart {
  std::vector<storage::StateChange> state;
  /// Records of a splice whose items went to the store before, by their places among the items.
  std::vector<storage::SpilledRecords> spilled;
  std::optional<storage::SnapshotCompletion> completion;
  subquery::Moves moves;  ///< of its own result
  std::optional<subquery::ValueSet> values;
  bool has_result = false;  ///< from now on its values may be wanted

  /// What it is to be routed by: first all, then each change in turn (F-63).
  std::optional<subquery::Views> seed;
  struct Rerouting {
    enum class Kind : std::uint8_t { narrow, broaden };
    Kind kind = Kind::narrow;
    subquery::ViewDelta delta;
  };
  std::vector<Rerouting> routing;
  /// Commit LSN of the first transaction that its state has and its log lacks; 0: there is none any
  /// more.
  std::optional<postgres::Lsn> waiting_from;
  /// A query begins, once that is done, whose snapshot must see all that was taken until then.
  std::optional<std::uint64_t> query;
  std::optional<postgres::Lsn> waits_for;  ///< it is to be told when the stream has passed this

  /// Whether anything of it has to be committed.
  bool writes() const { return !state.empty() || completion; }
};

/// A shape's answer to one delivery: perhaps nothing, but always given. Or, with the batch number
/// 0, something of its own that comes between two answers.
struct Contribution {
  BatchNumber batch = 0;
  protocol::ShapeHandle handle;
  std::vector<ContributedItem> items;
  /// Why the shape ends with this batch (engine.md L-13, postgres::shape_ending); empty: it does
  /// not.
  std::string_view ending = {};
  std::shared_ptr<SubqueryPart> subquery = {};
  std::vector<storage::StateChange> state = {};  ///< for the same commit
};

}  // namespace holdfast::stack
