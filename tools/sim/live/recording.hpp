// What a live run leaves behind: every request with its answer, every transaction, everything that
// was done to the servers, with times since the run's start. Judged when the run is over, and
// written down when something was found. Values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/protocol/http.hpp"
#include "oracle/violation.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::tools::live {

/// One request of a client and what came of it.
struct RecordedAnswer {
  std::size_t client = 0;       ///< index in the plan
  bool begins_afresh = false;   ///< the client dropped everything before it asked
  unsigned begun_restarts = 0;  ///< restarts over when it last did
  unsigned restarts_over = 0;   ///< when the answer came
  unsigned server = 0;          ///< who was asked; 0: nobody was there to be asked
  protocol::Request request;
  std::optional<protocol::Response> response;
  bool overdue = false;
  Instant sent;
  Instant answered;
};

struct RecordedTransaction {
  std::size_t number = 0;  ///< index in the plan
  Instant began;
  Instant ended;
  std::string outcome;  ///< "committed", "rolled back", or why it was refused
};

/// "server 2: SIGTERM", "restart 1 (rolling) begins".
struct RecordedEvent {
  Instant at;
  std::string what;
};

struct Recording {
  std::vector<RecordedAnswer> answers;  ///< in order of `answered`
  std::vector<RecordedTransaction> transactions;
  std::vector<RecordedEvent> events;
  /// What the run itself has to object to: servers that die or do not stop, clients that do not
  /// catch up.
  std::vector<oracle::Violation> violations;
  bool converged = false;  ///< every client has seen the last commit
  std::array<std::uint64_t, scenarios::k_restart_kinds> restarts{};
  std::uint64_t refused_commits = 0;  ///< old leaders that woke up and were refused their commit
  /// Frozen leaders that slept with a lock on the store, so that nobody could take over meanwhile.
  std::uint64_t takeovers_locked_out = 0;
  Duration time{};
};

}  // namespace holdfast::tools::live
