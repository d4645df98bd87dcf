// The guards by name, each with the failure mode that appears when the rule is missing (design.md
// §11). Included where a guard is asked or named, never by headers: a new guard then rebuilds only
// those.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/guards.hpp"

namespace holdfast {

enum class Guard : std::uint8_t {
  snapshot_filter_by_insert_lsn,
  retake_snapshot_if_streamed_before_visible,
  gone_asks_the_store,
  visible_only_after_commit,
  redeliver_to_restarted_consumer,
  removal_before_truncate_is_applied,
  complete_snapshot_only_when_flushed,
  confirm_only_what_is_visible,
  slot_position_tells_another_slot,
  confirm_only_committed,
  applied_moves_with_whole_transactions,
  recovery_cuts_unfinished_transactions,
  hold_back_last_record,
  held_request_is_a_read,
  materializer_exit_is_not_a_crash,
  consumer_crash_is_not_removal,
  no_removal_while_stopping,
  negate_before_coercing,
  hash_canonical_values,
  cancel_within_a_commit,
  convert_at_the_splice,
  drop_replayed_transactions,
  state_is_given_once,
  subscribe_by_difference,
  query_sees_what_was_given_before,
  markers_stay_below_the_buffer,
  session_ends_with_its_collector,
  snapshotter_is_watched,
  stream_goes_on_with_any_room,
  removed_shape_owes_nothing,
  unindexed_shapes_see_every_change,
  waiters_outlive_shape_changes,
  refresh_wakes_everyone,
  missing_tables_are_no_change,
  take_over_with_the_lock_only,
  leader_looks_at_the_epoch,
  poisoned_shape_is_quarantined,
  quarantined_input_is_stored,
  quarantined_shape_is_unavailable,
  live_shapes_fit_the_catalogue,
  catalogue_asked_before_new_format,
  unpublished_table_ends_its_shapes,
};

struct GuardInfo {
  Guard guard;
  std::string_view name;
  std::string_view failure_mode;  ///< engine.md §7
  std::string_view summary;
  std::string_view file;
  /// Guards that stand in series against one failure share a cut, and are switched off together.
  /// None: a cut of its own.
  std::string_view cut = {};
};

inline constexpr std::array k_guards = {
    GuardInfo{
        Guard::snapshot_filter_by_insert_lsn, "snapshot_filter_by_insert_lsn", "F-30",
        "a shape classifies transactions by its snapshot until their commit LSN has passed the "
        "snapshot's insert LSN, not until the first invisible one",
        "core/stack/log/plain_consumer.cpp"},
    GuardInfo{Guard::retake_snapshot_if_streamed_before_visible,
              "retake_snapshot_if_streamed_before_visible", "F-28",
              "a snapshot that does not see a transaction the collector had processed before the "
              "shape was registered is taken again",
              "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{Guard::gone_asks_the_store, "gone_asks_the_store", "F-40",
              "a request that finds the status table without its owner asks the store instead of "
              "concluding that the shape does not exist",
              "core/api/shape_lookup.cpp"},
    GuardInfo{Guard::visible_only_after_commit, "visible_only_after_commit", "F-36",
              "read models advance when the store has answered, not when a group is handed to it",
              "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{Guard::redeliver_to_restarted_consumer, "redeliver_to_restarted_consumer", "F-06",
              "a consumer that died with undelivered input gets it again after its restart",
              "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{
        Guard::removal_before_truncate_is_applied, "removal_before_truncate_is_applied", "F-55",
        "the removal caused by a TRUNCATE is durable before the transaction counts as applied",
        "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{Guard::complete_snapshot_only_when_flushed, "complete_snapshot_only_when_flushed",
              "L-5",
              "a snapshot is complete once the server's flushed position has passed its insert "
              "position, so that a crash of Postgres takes nothing back that it saw",
              "core/stack/log/snapshotter.cpp"},
    GuardInfo{Guard::confirm_only_what_is_visible, "confirm_only_what_is_visible", "F-28",
              "Postgres is told a position only when every later snapshot sees all that is before "
              "it, so that a commit that waits for a standby is sent again after a restart",
              "core/stack/log/shape_log_confirmations.cpp"},
    GuardInfo{Guard::slot_position_tells_another_slot, "slot_position_tells_another_slot", "F-114",
              "a slot that stands beyond what the store knows to be confirmed is another one, "
              "whoever made it, and all shapes end",
              "core/stack/connection/connection_manager.cpp"},
    GuardInfo{Guard::confirm_only_committed, "confirm_only_committed", "F-11",
              "Postgres is told of a transaction once it is in the store, not once it was handed "
              "over",
              "core/stack/connection/replication_client.cpp"},
    GuardInfo{Guard::applied_moves_with_whole_transactions, "applied_moves_with_whole_transactions",
              "F-16",
              "the applied position moves with the last fragment of a transaction, not with each",
              "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{Guard::recovery_cuts_unfinished_transactions, "recovery_cuts_unfinished_transactions",
              "F-17",
              "what a transaction without its end left in the store is cut before a start reads it",
              "core/storage/durable_store_recovery.cpp"},
    GuardInfo{Guard::hold_back_last_record, "hold_back_last_record", "F-124",
              "a shape's latest record of a transaction in fragments waits for what follows, which "
              "tells whether it is the last one",
              "core/stack/log/commit_pipeline.cpp"},
    GuardInfo{Guard::held_request_is_a_read, "held_request_is_a_read", "L-15",
              "a shape that a request waits for counts as read now, not as when the request began",
              "core/stack/expiry_manager.cpp"},
    GuardInfo{Guard::materializer_exit_is_not_a_crash, "materializer_exit_is_not_a_crash", "B6",
              "a consumer whose inline call into its materializer fails, for whatever reason, ends "
              "quietly and is started again with its input",
              "core/stack/subquery/subquery_consumer.cpp", "shutdown_race"},
    GuardInfo{Guard::consumer_crash_is_not_removal, "consumer_crash_is_not_removal", "B6",
              "a shape whose consumer crashed lives: its state is in the store, its input with the "
              "collector",
              "core/stack/log/shape_log_consumers.cpp", "shutdown_race"},
    GuardInfo{Guard::no_removal_while_stopping, "no_removal_while_stopping", "B6",
              "while the shapes subsystem is not whole, the engine removes no shape of its own "
              "accord",
              "core/stack/shape_cleaner.cpp", "shutdown_race"},
    GuardInfo{
        Guard::negate_before_coercing, "negate_before_coercing", "F-32",
        "a membership test is negated in three-valued logic and coerced to a boolean afterwards",
        "core/subquery/marking.cpp"},
    GuardInfo{Guard::hash_canonical_values, "hash_canonical_values", "F-61",
              "tags hash the typed value, not the text in which a column happens to be printed",
              "core/subquery/marking.cpp"},
    GuardInfo{Guard::cancel_within_a_commit, "cancel_within_a_commit", "F-62",
              "what a commit takes in and out of a result again is no move",
              "core/subquery/materializer_state.cpp"},
    GuardInfo{Guard::convert_at_the_splice, "convert_at_the_splice", "F-67",
              "transactions that arrive during a query are converted when it is known which view "
              "they are under, not at once",
              "core/subquery/outer_shape.cpp"},
    GuardInfo{Guard::drop_replayed_transactions, "drop_replayed_transactions", "B2",
              "a transaction that a shape has handled is not handled again when it is replayed",
              "core/subquery/outer_shape.cpp", "handled_once"},
    GuardInfo{Guard::state_is_given_once, "state_is_given_once", "B2",
              "a shape with state is not given again what a collector had taken before",
              "core/stack/log/shape_log_collector.cpp", "handled_once"},
    GuardInfo{Guard::subscribe_by_difference, "subscribe_by_difference", "B5",
              "a shape that starts again moves by the difference between its views and the results "
              "as they are, instead of taking the results for what its log stands for",
              "core/stack/subquery/subquery_consumer.cpp"},
    GuardInfo{Guard::query_sees_what_was_given_before, "query_sees_what_was_given_before", "F-64",
              "a query's snapshot sees what an earlier collector gave to the shape, which is not "
              "given again",
              "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{Guard::markers_stay_below_the_buffer, "markers_stay_below_the_buffer", "I-58",
              "an up-to-date marker claims no position at which the shape has input that is not in "
              "its log",
              "core/api/request_process.cpp"},
    GuardInfo{
        Guard::session_ends_with_its_collector, "session_ends_with_its_collector", "F-04",
        "a session belongs to the collector it began with: a new collector gets a new session, "
        "which replays what the old one had taken and not committed",
        "core/stack/connection/replication_client.cpp"},
    GuardInfo{Guard::snapshotter_is_watched, "snapshotter_is_watched", "F-39",
              "a consumer whose snapshotter dies without a word takes the snapshot again",
              "core/stack/log/plain_consumer.cpp"},
    GuardInfo{Guard::stream_goes_on_with_any_room, "stream_goes_on_with_any_room", "F-109",
              "a session that waits for room goes on whoever made the room, not at commits only",
              "core/stack/log/shape_log_collector.cpp"},
    GuardInfo{Guard::removed_shape_owes_nothing, "removed_shape_owes_nothing", "F-50",
              "a batch no longer waits for the contribution of a shape that was removed",
              "core/stack/log/shape_log_consumers.cpp"},
    GuardInfo{Guard::unindexed_shapes_see_every_change, "unindexed_shapes_see_every_change",
              "F-120",
              "shapes whose clause no index covers are asked about every change of their table, "
              "whatever the indexes found",
              "core/routing/router.cpp"},
    GuardInfo{Guard::waiters_outlive_shape_changes, "waiters_outlive_shape_changes", "F-89",
              "a held request subscribes anew when who would have woken it dies",
              "core/api/request_process.cpp"},
    GuardInfo{
        Guard::refresh_wakes_everyone, "refresh_wakes_everyone", "F-89",
        "whoever makes the read models anew wakes all held requests, since what changed meanwhile "
        "woke nobody",
        "core/stack/shape_status_owner.cpp"},
    GuardInfo{Guard::missing_tables_are_no_change, "missing_tables_are_no_change", "F-92",
              "a held request that looks at its shape while the read models have no owner asks the "
              "store and stays held, instead of failing",
              "core/api/request_process.cpp"},
    GuardInfo{Guard::take_over_with_the_lock_only, "take_over_with_the_lock_only", "F-47",
              "a store is taken over by who holds the lock, not by who starts",
              "core/stack/connection/connection_manager.cpp"},
    GuardInfo{
        Guard::leader_looks_at_the_epoch, "leader_looks_at_the_epoch", "F-47",
        "who leads believes its read models for a moment after it has seen that nobody has taken "
        "over, then looks again; and always when it has the lock again",
        "core/api/request_process.cpp"},
    GuardInfo{Guard::poisoned_shape_is_quarantined, "poisoned_shape_is_quarantined", "I-66",
              "a shape whose consumer died three times on the same input no longer holds the "
              "stream",
              "core/stack/log/shape_log_quarantine.cpp"},
    GuardInfo{Guard::quarantined_input_is_stored, "quarantined_input_is_stored", "F-06",
              "what comes for a shape in quarantine is in the commit that passes it",
              "core/stack/log/shape_log_quarantine.cpp"},
    GuardInfo{Guard::quarantined_shape_is_unavailable, "quarantined_shape_is_unavailable", "I-5",
              "a shape in quarantine answers 503 from before the position passes its input",
              "core/stack/log/shape_log_quarantine.cpp"},
    GuardInfo{
        Guard::live_shapes_fit_the_catalogue, "live_shapes_fit_the_catalogue", "L-12",
        "live shapes are held against the catalogue, since a table that is dropped, made again "
        "or altered sends no message while nobody writes to it",
        "core/stack/connection/schema_reconciler.cpp"},
    GuardInfo{
        Guard::catalogue_asked_before_new_format, "catalogue_asked_before_new_format", "F-45",
        "where the stream describes a table, its shapes are held against the catalogue before "
        "the changes that follow are taken",
        "core/stack/connection/replication_client.cpp"},
    GuardInfo{
        Guard::unpublished_table_ends_its_shapes, "unpublished_table_ends_its_shapes", "I-61",
        "a table that is not in the publication, or is since a shape's snapshot, ends the shape",
        "core/stack/connection/schema_reconciler.cpp"},
};

static_assert(k_guards.size() <= Guards::k_capacity);

inline std::optional<Guard> guard_by_name(std::string_view name) {
  for (const GuardInfo& info : k_guards)
    if (info.name == name) return info.guard;
  return std::nullopt;
}

}  // namespace holdfast
