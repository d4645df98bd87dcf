// The rules that keep an outer shape's log equal to its query, each with the failure mode that
// appears without it (engine.md §7). All are on; the property test switches them off one at a time
// and sees the log go wrong. Those that whole histories need as well are guards of the same name
// (core/base/guard_list.hpp).
#pragma once

#include "core/base/guards.hpp"

namespace holdfast::subquery {

struct Rules {
  /// A literal is negated in three-valued logic and coerced to a boolean afterwards (F-32).
  bool negate_before_coercing = true;
  /// Tags hash the canonical typed value, not the column's text (F-61).
  bool hash_canonical_values = true;
  /// What one transaction takes in and out of a result again is no move (F-62).
  bool cancel_within_a_commit = true;
  /// A splice waits until the stream has passed the snapshot's insert position, and classifies each
  /// transaction by visibility; off: the first invisible one ends the wait (F-30).
  bool wait_for_the_insert_position = true;
  /// A visible transaction after an invisible one: the query is run again (§3.6).
  bool query_again_on_inversion = true;
  /// Transactions that arrive during a query are converted at the splice, when it is known which
  /// view they are under; off: at once, under the old view (F-67, F-68).
  bool convert_at_the_splice = true;
  /// A result belongs to the attempt that asked for it (F-80). No guard: whose consumer ends the
  /// void attempt's mover cannot miss it.
  bool attempts_have_numbers = true;
  /// A transaction that was handled is not handled again when it is replayed (B2).
  bool drop_replayed_transactions = true;

  Rules() = default;
  explicit Rules(const Guards& guards);
};

}  // namespace holdfast::subquery
