// What travels between the collector and the consumers: a batch's changes one way, contributions
// the other. Values; the transactions, their encodings and the items are shared, immutable or
// locked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/spin_lock.hpp"
#include "core/postgres/stream.hpp"
#include "core/protocol/offset.hpp"
#include "core/shape/log_item.hpp"

namespace holdfast::stack {

/// Numbers batches in the order of the stream, from 1, within one incarnation of the collector.
using BatchNumber = std::uint64_t;

using SharedItem = std::shared_ptr<const std::string>;

/// One record of a shape's log, without its `last` header: that is the pipeline's to decide.
struct ContributedItem {
  protocol::LogOffset offset;
  SharedItem json;
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

/// What one shape gets of one batch.
struct Delivery {
  BatchNumber batch = 0;
  std::vector<DeliveredTransaction> transactions;
};

/// A shape's answer to one delivery: perhaps nothing, but always given.
struct Contribution {
  BatchNumber batch = 0;
  protocol::ShapeHandle handle;
  std::vector<ContributedItem> items;
  bool truncated = false;  ///< the shape ends with this batch (engine.md L-13)
};

}  // namespace holdfast::stack
