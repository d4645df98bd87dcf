// Mutants: structures of the engine broken from outside, by decorators over the interfaces that
// `core` works on (design.md §11). `core` has no branch for them: who starts an instance puts the
// decorators in, if the set names one. Each stands for a failure mode of engine.md §7 that a guard
// cannot express, since the right behaviour is no single decision.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::sim::mutants {

enum class Mutant : std::uint8_t {
  commit_without_sync,
  segment_without_sync,
  log_kept_as_found,
  ignored_write_error,
  epoch_taken_back,
  removal_forgotten,
  cached_lookup,
  empty_read_after_seal,
  confirms_received,
  no_replay,
  status_withheld,
  publication_later,
  snapshot_position_of_stream,
  xip_without_epoch,
  redirect_remembered,
  position_of_transactions,
  failed_look_finds_nothing,
  lock_left_alone,
  state_read_in_part,
  state_read_twice,
};

struct MutantInfo {
  Mutant mutant;
  std::string_view name;
  std::string_view failure_mode;  ///< engine.md §7
  std::string_view summary;       ///< what it does
  std::string_view file;
};

inline constexpr std::array k_mutants = {
    MutantInfo{Mutant::commit_without_sync, "commit_without_sync", "F-43",
               "a commit is answered before its log is on the disk", "sim/mutants/broken_disk.cpp"},
    MutantInfo{Mutant::segment_without_sync, "segment_without_sync", "F-42",
               "a segment is referred to before its file is on the disk",
               "sim/mutants/broken_disk.cpp"},
    MutantInfo{Mutant::log_kept_as_found, "log_kept_as_found", "F-36",
               "a take-over serves what it reads in the log of a failed sync without writing it "
               "again",
               "sim/mutants/broken_disk.cpp"},
    MutantInfo{Mutant::ignored_write_error, "ignored_write_error", "F-36",
               "a commit that failed is reported as done", "sim/mutants/broken_store.cpp"},
    MutantInfo{Mutant::epoch_taken_back, "epoch_taken_back", "F-116",
               "a writer whose epoch is over takes the store over again instead of stopping",
               "sim/mutants/broken_store.cpp"},
    MutantInfo{Mutant::removal_forgotten, "removal_forgotten", "F-48",
               "a removal becomes durable with its last step instead of its first",
               "sim/mutants/broken_store.cpp"},
    MutantInfo{Mutant::cached_lookup, "cached_lookup", "F-94",
               "a reader answers what it once read of a handle, however the store goes on",
               "sim/mutants/broken_store.cpp"},
    MutantInfo{Mutant::empty_read_after_seal, "empty_read_after_seal", "F-86",
               "a reader that no longer finds what it was sent for says that there is nothing",
               "sim/mutants/broken_store.cpp"},
    MutantInfo{Mutant::confirms_received, "confirms_received", "F-11",
               "Postgres is told that everything received is safe",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::no_replay, "no_replay", "F-05",
               "a new session drops transactions that an earlier one of this instance received",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::status_withheld, "status_withheld", "F-111",
               "Postgres is never told anything", "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::publication_later, "publication_later", "F-57",
               "a table is published after the snapshot of its first shape",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::snapshot_position_of_stream, "snapshot_position_of_stream", "F-28",
               "a snapshot's position is how far the stream has come, not the insert position",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::xip_without_epoch, "xip_without_epoch", "F-29",
               "a snapshot's transactions in progress are kept in 32 bits",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::redirect_remembered, "redirect_remembered", "F-96",
               "a 409 names the successor that an earlier one for the same handle named",
               "sim/mutants/remembered_redirects.cpp"},
    MutantInfo{Mutant::position_of_transactions, "position_of_transactions", "F-83",
               "a keepalive tells no position beyond the last transaction",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::failed_look_finds_nothing, "failed_look_finds_nothing", "F-60",
               "a look into the catalogue that fails finds no such table",
               "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::lock_left_alone, "lock_left_alone", "F-112",
               "nobody ends the sessions of a lost machine", "sim/mutants/broken_database.cpp"},
    MutantInfo{Mutant::state_read_in_part, "state_read_in_part", "B1",
               "what a subquery selects, and a shape's views, are restored without the last entry",
               "sim/mutants/broken_store.cpp"},
    MutantInfo{Mutant::state_read_twice, "state_read_twice", "B4", "the same is read twice over",
               "sim/mutants/broken_store.cpp"},
};

/// Which mutants a run has. A value; none by default.
class MutantSet {
 public:
  bool on(Mutant mutant) const { return on_.test(static_cast<std::size_t>(mutant)); }
  void add(Mutant mutant) { on_.set(static_cast<std::size_t>(mutant)); }
  bool empty() const { return on_.none(); }

 private:
  std::bitset<k_mutants.size()> on_;
};

inline std::optional<Mutant> mutant_by_name(std::string_view name) {
  for (const MutantInfo& info : k_mutants)
    if (info.name == name) return info.mutant;
  return std::nullopt;
}

}  // namespace holdfast::sim::mutants
