// What happened to a run that may excuse an answer: the workload's own deletions and truncations,
// and what was done to the engine. Kept in order of time by whoever drives the run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace holdfast::oracle {

/// The legitimate causes of a 409 that a run can contain (engine.md §6.11).
enum class Cause {
  deleted_by_request,  ///< LC-1: subject is the spec's name
  truncated,       ///< LC-3: subject is the table, the shape's own or one of a sub-select (LC-14)
  slot_recreated,  ///< LC-8: every shape
  poisoned,        ///< LC-15: subject is a handle; what waits for it exceeds the bound
  over_limit,      ///< LC-2: once more definitions than `limit` were asked for, any of them
  table_altered,   ///< LC-4, LC-5: subject is the table, columns those that came, changed or went
  table_unpublished,  ///< none for a 409: what is written while it lasts may be in no stream
  table_unfit,        ///< none for a 409: requests that name the table or these columns are refused
};

struct CauseEvent {
  Cause cause = Cause::deleted_by_request;
  std::string subject;
  Instant at;
  /// From here on it cannot end a shape that was born later: the deletion is answered, or every
  /// new snapshot sees the truncation.
  Instant over = Instant::never();
  std::size_t limit = 0;  ///< over_limit
  /// table_altered, table_unfit: empty stands for the table itself.
  std::vector<std::string> columns = {};
};

using Journal = std::vector<CauseEvent>;

}  // namespace holdfast::oracle
