// Transactions that wait for a splice, in parts, in the order of the stream. Each is stored with
// the commit that passes it (Space::buffer); once it is, its body need not be held: what remains is
// its place and whose it is, 48 bytes. A body is read back when it is converted. No I/O: whoever
// owns it stores what store() says, and reads what is missing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/stream.hpp"
#include "core/subquery/state_delta.hpp"

namespace holdfast::subquery {

/// The part of one transaction that concerns the shape. Tuples have the definition's columns.
struct OuterTransaction {
  std::shared_ptr<const postgres::Transaction> transaction;
  std::vector<std::uint32_t> changes;  ///< indices, ascending; no truncate
};

class InputBuffer {
 public:
  struct Part {
    postgres::Xid xid;
    std::uint32_t bytes = 0;  ///< of its body, about
    postgres::Lsn commit_lsn;
    std::uint64_t first_op = 0;
    std::uint64_t last_op = 0;
    std::uint64_t input = 0;  ///< with which it is stored
    std::unique_ptr<const OuterTransaction> body;

    std::string key() const;
  };

  /// A part has about so many bytes at most, but at least one change. What the last part goes
  /// beyond in the same transaction is there already.
  void push(const OuterTransaction& transaction, std::size_t part_bytes);
  /// Adds to `changes` what was pushed since the last call; it is contributed with this input.
  void store(std::uint64_t input, std::vector<StateDelta>& changes);
  /// Of what is stored, having been contributed with an input before `stored_before`, no more is
  /// held than `bytes` with the rest.
  void let_go(std::uint64_t stored_before, std::size_t bytes);

  bool empty() const { return parts_.empty(); }
  /// Whether any of it is in the store, or will be.
  bool stored() const { return stored_ > 0; }
  const std::deque<Part>& parts() const { return parts_; }
  std::size_t held_bytes() const { return held_bytes_; }

  // -- the splice ---------------------------------------------------------------------------------

  /// Those of which `first` is true come before the others. Answers how many they are.
  template <class F>
  std::size_t partition(F first);
  void drop_first(std::size_t count);
  /// Gives the first parts the bodies that were read from the first one's key on.
  Result<void> give_back(const std::vector<StateDelta>& entries);
  /// Empties it, also in the store.
  void clear(std::vector<StateDelta>& changes);

  /// An entry of the store, in their order. false: it is none.
  bool restore(const std::string& key);

 private:
  std::deque<Part> parts_;
  std::size_t stored_ = 0;  ///< so many of the first are in the store, or will be
  std::size_t let_go_ = 0;  ///< so many of the first have no body
  std::size_t held_bytes_ = 0;
};

template <class F>
std::size_t InputBuffer::partition(F first) {
  const auto rest = std::stable_partition(parts_.begin(), parts_.end(), first);
  return static_cast<std::size_t>(rest - parts_.begin());
}

}  // namespace holdfast::subquery
