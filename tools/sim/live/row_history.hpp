// The history of a real database, kept by itself while a run writes: triggers note every version of
// every row with its transaction, and a slot of live mode's own tells where each transaction
// committed. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "scenarios/plans/plan.hpp"
#include "tools/sim/live/postgres_session.hpp"

namespace holdfast::tools::live {

struct Commits {
  std::map<std::uint32_t, std::uint64_t> lsn_of;  ///< by transaction id
  std::map<std::uint64_t, std::uint32_t> id_at;   ///< by commit LSN
  std::uint64_t last_lsn = 0;                     ///< of the last commit's record
  std::uint64_t end_lsn = 0;                      ///< behind it
};

class RowHistory {
 public:
  /// Makes the plan's tables and what notes their changes. `slot` must be free on the server.
  RowHistory(const std::string& url, const scenarios::Plan& plan, std::string slot);

  /// All that was committed so far. REQUIRES: the last commit was flushed, or flush().
  const Commits& commits();
  void flush() {
    session_.run("SELECT pg_logical_emit_message(true, 'holdfast_live', 'flush all before')");
  }
  PostgresSession& session() { return session_; }
  const scenarios::Plan& plan() const { return plan_; }

 private:
  void make_table(const sim::postgres::TableDefinition& table);
  PostgresSession session_;
  const scenarios::Plan& plan_;
  std::string slot_;
  Commits commits_;
};

/// The table of the schema holdfast_live that notes the changes of this one: number, xid, was,
/// became, operation.
std::string history_of(const std::string& table);

}  // namespace holdfast::tools::live
