// The marks by name. Included where a mark is reached or named, never by headers: a new mark then
// rebuilds only those.
#pragma once

#include "core/base/marks.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast {

enum class Mark : std::uint8_t {
  snapshot_completed,
  snapshot_retaken,
  snapshot_spilled_to_segment,
  buffered_transaction_applied,
  transaction_filtered_by_snapshot,
  group_of_several_transactions,
  consumer_restarted_with_input,
  consumer_started_lazily,
  replayed_transaction_dropped,
  live_request_woken,
  live_request_timed_out,
  shape_found_by_store_lookup,
  shape_removed_by_truncate,
  shape_removed_by_request,
  removal_resumed_at_boot,
  takeover,
  standby_served_a_read,
  stack_restarted_itself,
  replication_reconnected,
  conflict_answered,
  confirmation_held_back,
  all_shapes_reset,
  transaction_in_fragments,
  fragment_replayed,
  unfinished_transaction_cut,
  shape_expired,
  subquery_state_restored,
  restored_while_moving,
  move_spilled_to_segment,
  inline_call_exited_while_stopping,
  removal_committed_without_collector,
  shape_quarantined,
  shape_quarantined_in_transaction,
  quarantine_ended,
  shape_removed_by_stream_schema,
  shape_removed_by_reconciler,
  table_changed_before_snapshot,
  quarantined_with_its_subquery,
  shape_removed_by_replica_identity,
  shape_removed_unpublished,
  replica_identity_set_again,
  table_left_the_publication,
  snapshot_failure_told,
  splice_spilled_to_segment,
  waiting_input_read_back,
  count_,
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Mark::count_)> k_mark_names =
    {
        "snapshot_completed",
        "snapshot_retaken",
        "snapshot_spilled_to_segment",
        "buffered_transaction_applied",
        "transaction_filtered_by_snapshot",
        "group_of_several_transactions",
        "consumer_restarted_with_input",
        "consumer_started_lazily",
        "replayed_transaction_dropped",
        "live_request_woken",
        "live_request_timed_out",
        "shape_found_by_store_lookup",
        "shape_removed_by_truncate",
        "shape_removed_by_request",
        "removal_resumed_at_boot",
        "takeover",
        "standby_served_a_read",
        "stack_restarted_itself",
        "replication_reconnected",
        "conflict_answered",
        "confirmation_held_back",
        "all_shapes_reset",
        "transaction_in_fragments",
        "fragment_replayed",
        "unfinished_transaction_cut",
        "shape_expired",
        "subquery_state_restored",
        "restored_while_moving",
        "move_spilled_to_segment",
        "inline_call_exited_while_stopping",
        "removal_committed_without_collector",
        "shape_quarantined",
        "shape_quarantined_in_transaction",
        "quarantine_ended",
        "shape_removed_by_stream_schema",
        "shape_removed_by_reconciler",
        "table_changed_before_snapshot",
        "quarantined_with_its_subquery",
        "shape_removed_by_replica_identity",
        "shape_removed_unpublished",
        "replica_identity_set_again",
        "table_left_the_publication",
        "snapshot_failure_told",
        "splice_spilled_to_segment",
        "waiting_input_read_back",
};

static_assert(k_mark_names.size() <= Marks::k_capacity);

}  // namespace holdfast
