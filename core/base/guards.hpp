// Guards: defensive rules at one decision point each, by name, with the failure mode that appears
// when the rule is missing (design.md §11). Code asks the set its stack was started with:
// `guards.on(Guard::gone_asks_the_store)`. Production always runs with Guards::all(). "Off" is the
// code a competent author would have written first; it never throws or corrupts on purpose.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

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
  poisoned_shape_is_quarantined,
  quarantined_input_is_stored,
  quarantined_shape_is_unavailable,
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
        "core/stack/plain_consumer.cpp"},
    GuardInfo{Guard::retake_snapshot_if_streamed_before_visible,
              "retake_snapshot_if_streamed_before_visible", "F-28",
              "a snapshot that does not see a transaction the collector had processed before the "
              "shape was registered is taken again",
              "core/stack/shape_log_collector.cpp"},
    GuardInfo{Guard::gone_asks_the_store, "gone_asks_the_store", "F-40",
              "a request that finds the status table without its owner asks the store instead of "
              "concluding that the shape does not exist",
              "core/api/shape_lookup.cpp"},
    GuardInfo{Guard::visible_only_after_commit, "visible_only_after_commit", "F-36",
              "read models advance when the store has answered, not when a group is handed to it",
              "core/stack/shape_log_collector.cpp"},
    GuardInfo{Guard::redeliver_to_restarted_consumer, "redeliver_to_restarted_consumer", "F-06",
              "a consumer that died with undelivered input gets it again after its restart",
              "core/stack/shape_log_collector.cpp"},
    GuardInfo{
        Guard::removal_before_truncate_is_applied, "removal_before_truncate_is_applied", "F-55",
        "the removal caused by a TRUNCATE is durable before the transaction counts as applied",
        "core/stack/shape_log_collector.cpp"},
    GuardInfo{Guard::complete_snapshot_only_when_flushed, "complete_snapshot_only_when_flushed",
              "L-5",
              "a snapshot is complete once the server's flushed position has passed its insert "
              "position, so that a crash of Postgres takes nothing back that it saw",
              "core/stack/snapshotter.cpp"},
    GuardInfo{Guard::confirm_only_what_is_visible, "confirm_only_what_is_visible", "F-28",
              "Postgres is told a position only when every later snapshot sees all that is before "
              "it, so that a commit that waits for a standby is sent again after a restart",
              "core/stack/shape_log_confirmations.cpp"},
    GuardInfo{Guard::slot_position_tells_another_slot, "slot_position_tells_another_slot", "F-114",
              "a slot that stands beyond what the store knows to be confirmed is another one, "
              "whoever made it, and all shapes end",
              "core/stack/connection_manager.cpp"},
    GuardInfo{Guard::confirm_only_committed, "confirm_only_committed", "F-11",
              "Postgres is told of a transaction once it is in the store, not once it was handed "
              "over",
              "core/stack/replication_client.cpp"},
    GuardInfo{Guard::applied_moves_with_whole_transactions, "applied_moves_with_whole_transactions",
              "F-16",
              "the applied position moves with the last fragment of a transaction, not with each",
              "core/stack/shape_log_collector.cpp"},
    GuardInfo{Guard::recovery_cuts_unfinished_transactions, "recovery_cuts_unfinished_transactions",
              "F-17",
              "what a transaction without its end left in the store is cut before a start reads it",
              "core/storage/durable_store_recovery.cpp"},
    GuardInfo{Guard::hold_back_last_record, "hold_back_last_record", "F-124",
              "a shape's latest record of a transaction in fragments waits for what follows, which "
              "tells whether it is the last one",
              "core/stack/commit_pipeline.cpp"},
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
              "core/stack/shape_log_consumers.cpp", "shutdown_race"},
    GuardInfo{Guard::no_removal_while_stopping, "no_removal_while_stopping", "B6",
              "while the shapes subsystem is not whole, the engine removes no shape of its own "
              "accord",
              "core/stack/shape_cleaner.cpp", "shutdown_race"},
    GuardInfo{Guard::poisoned_shape_is_quarantined, "poisoned_shape_is_quarantined", "I-66",
              "a shape whose consumer died three times on the same input no longer holds the "
              "stream",
              "core/stack/shape_log_quarantine.cpp"},
    GuardInfo{Guard::quarantined_input_is_stored, "quarantined_input_is_stored", "F-06",
              "what comes for a shape in quarantine is in the commit that passes it",
              "core/stack/shape_log_quarantine.cpp"},
    GuardInfo{Guard::quarantined_shape_is_unavailable, "quarantined_shape_is_unavailable", "I-5",
              "a shape in quarantine answers 503 from before the position passes its input",
              "core/stack/shape_log_quarantine.cpp"},
};

/// The set a stack runs with. A value.
class Guards {
 public:
  static Guards all() {
    Guards guards;
    guards.on_.set();
    return guards;
  }
  bool on(Guard guard) const { return on_.test(static_cast<std::size_t>(guard)); }
  void switch_off(Guard guard) { on_.reset(static_cast<std::size_t>(guard)); }

 private:
  std::bitset<k_guards.size()> on_;
};

inline std::optional<Guard> guard_by_name(std::string_view name) {
  for (const GuardInfo& info : k_guards)
    if (info.name == name) return info.guard;
  return std::nullopt;
}

}  // namespace holdfast
