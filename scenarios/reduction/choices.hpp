// The choices of a plan, one by one: how many there are on each axis, the plan without some of
// them, and a choice in words. A plan without some choices is a whole plan: what refers to
// something that is gone goes with it, and what stays keeps its name (design.md §10).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/run.hpp"

namespace holdfast::scenarios {

enum class ChoiceKind : std::uint8_t {
  table,  ///< with its rows, shapes and statements
  shape,  ///< with its clients
  client,
  restart,
  fault,
  probe,
  removal,      ///< a TRUNCATE, or a DELETE of a shape
  calm_death,   ///< of a process of the engine, before a commit at the end
  alteration,   ///< of a table
  calm_commit,  ///< at the end
  transaction,
  statement,
  initial_row,
  knob,      ///< that has not its default
  decision,  ///< where the schedule leaves FIFO
  column,    ///< of a table, but the key; everywhere
  cell,      ///< a column of one insert or update
};
/// All, in the order in which they are worth trying: what takes much away comes first.
std::span<const ChoiceKind> choice_kinds();
std::string_view name_of(ChoiceKind kind);

/// How many choices of this kind can be taken away, one by one.
std::size_t count_of(const Plan& plan, ChoiceKind kind);
/// The plan without choices [first, last) of this kind.
Plan without(const Plan& plan, ChoiceKind kind, std::size_t first, std::size_t last);
/// In words, with the steps at which it happened in the run that `report` is of.
std::string in_words(const Plan& plan, ChoiceKind kind, std::size_t index, const RunReport& report);

/// What a repro consists of. A FIFO schedule, no faults and default knobs count nothing; tables
/// come with their shapes; what a choice is like (how long a pause, which columns) does not count.
struct ChoiceCounts {
  std::uint64_t workload = 0;  ///< shapes, clients, statements, rows at the start, removals,
                               ///< alterations, probes, calm commits
  std::uint64_t faults = 0;  ///< restarts and faults
  std::uint64_t knobs = 0;
  std::uint64_t schedule = 0;  ///< decisions; of a schedule by chance: not known
  std::uint64_t total() const { return workload + faults + knobs + schedule; }
  /// "9 choices: 5 workload, 1 faults, 0 knobs, 3 schedule"
  std::string to_text() const;
};
ChoiceCounts count_choices(const Plan& plan);

}  // namespace holdfast::scenarios
