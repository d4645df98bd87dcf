// The oracle of one run: sees every request with its answer, the journal and the database's
// history, and nothing of the engine. Collects violations; never decides anything.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/protocol/http.hpp"
#include "oracle/checks/chunk_rule.hpp"
#include "oracle/checks/conflict_ledger.hpp"
#include "oracle/checks/constancy.hpp"
#include "oracle/checks/expiry_order.hpp"
#include "oracle/checks/membership.hpp"
#include "oracle/client/client_rules.hpp"
#include "oracle/client/client_view.hpp"
#include "oracle/journal.hpp"
#include "oracle/probe.hpp"
#include "oracle/truth.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {

/// When an answer that was made for somebody else, or earlier, was asked for and made.
struct Origin {
  Instant sent;
  Instant answered;
};

/// One request and what came of it. `response` is empty if the connection broke.
struct Exchange {
  const ShapeSpec* spec = nullptr;
  std::string client;
  ClientState state;  ///< before the answer
  std::optional<protocol::Response> response;
  Instant sent;
  Instant answered;
  /// Of an answer that a cache gave; what it says was true then.
  std::optional<Origin> origin = {};

  /// When the engine answered it, and when it was asked to.
  Origin made() const { return origin.value_or(Origin{sent, answered}); }
};

struct OracleCounters {
  std::uint64_t requests = 0;
  std::uint64_t compared_markers = 0;   ///< up-to-date markers, compared with the truth
  std::uint64_t compared_in_full = 0;   ///< of all comparisons: row by row, not only by digest
  MembershipCounters memberships;
  std::uint64_t retried = 0;     ///< broken connections and 503s
  std::uint64_t refused = 0;     ///< 400s and 503s while a table was not what the request names
  std::uint64_t not_judged = 0;  ///< answers while what the table got may be in no stream
};

class Oracle {
 public:
  explicit Oracle(Truth& truth) : truth_(&truth), ledger_(journal_) {}

  /// Answers the event's number, for over().
  std::size_t record(CauseEvent event) {
    journal_.push_back(std::move(event));
    return journal_.size() - 1;
  }
  /// From now on this event excuses no 409 about a shape that is born later.
  void over(std::size_t event, Instant at) { journal_.at(event).over = at; }
  /// A DELETE was answered 202.
  void deleted(const ShapeSpec& spec, Instant sent, Instant answered) {
    ledger_.deleted(spec, sent, answered);
  }
  /// Is told what is done to the engine.
  ExpiryOrder& expiry_order() { return expiry_order_; }
  /// A request is about to be sent. observe() follows.
  void asked(const Exchange& exchange);
  /// The size at which the engine is to end a chunk of a log.
  void expect_chunks_of(std::uint64_t bytes) { chunk_rule_.set_threshold(bytes); }
  /// Judges one answer and applies it to the client's view.
  void observe(const Exchange& exchange, ClientView& view);
  /// The same two for a probe; no response: the connection broke.
  void asked(const Probe& probe);
  void observe(const Probe& probe, const std::optional<protocol::Response>& response,
               const Origin& made);
  /// A request that is still unanswered long after its own deadline.
  void overdue(const Exchange& exchange);
  /// The last commit, if the view equals the query as of now; 0: it does not. A view of a shape
  /// with subqueries comes to that later than its marker, since moves follow what causes them.
  std::uint64_t agreed_commit(const ClientView& view);
  /// At the end, with faults over: the view equals the query as of now.
  void converged(const ShapeSpec& spec, const std::string& client, const ClientView& view,
                 Instant at);
  void object(const char* property, std::string what, const std::string& client, Instant at);

  const std::vector<Violation>& violations() const { return violations_; }
  const OracleCounters& counters() const { return counters_; }
  const ConflictLedger& ledger() const { return ledger_; }

  /// No request may take longer than this: the longest hold, the wait for readiness, and slack.
  static constexpr Duration k_request_deadline = std::chrono::seconds(120);
  /// A view whose digest is the truth's has the truth's rows. All the same, of so many comparisons
  /// the first is made row by row, so that a digest which overlooks something is found out.
  static constexpr std::uint64_t k_full_comparison_interval = 32;

 private:
  void observe_success(const Exchange& exchange, ClientView& view, const Object& object);
  void observe_failure(const Exchange& exchange, const Object& object);
  /// What a 409 says of two handles: one has ended, another follows it.
  void observe_conflict(const ShapeSpec& spec, const protocol::ShapeHandle& asked,
                        const protocol::Response& response, const Origin& made,
                        const Object& object);
  void observe_answer(const Probe& probe, const protocol::Response& response, const Origin& made);
  void observe_probe_success(const Probe& probe, const protocol::ShapeHandle& handle,
                             const protocol::Response& response, const Object& object);
  /// What the answer claims to be up to date with (http-api.md §13.5).
  void check_marker(const Exchange& exchange, const protocol::LogOffset& offset,
                    const std::vector<Message>& messages, const Object& object);
  /// Two halves of a change of key that do not say so look like a delete and an insert.
  void check_key_changes(const ShapeSpec& spec, const std::vector<Message>& messages,
                         const Object& object);
  /// Only a shape whose consumer was made to die may be unavailable for that.
  void check_quarantine(const protocol::Response& response, const Object& object);
  /// Only for a table that is not as it must be may a 503 say so (http-api.md §23.3).
  void check_snapshot_refused(const ShapeSpec& spec, const protocol::Response& response,
                              const Origin& made, const Object& object);
  /// What is asked for, with the columns that the answer's own schema says the table has.
  const ShapeSpec& described(const ShapeSpec& spec, const protocol::Response& response,
                             const Object& object);
  /// A 400 that says that the table, or a column, is not there; and it was not, a moment ago.
  bool refused_by_its_table(const ShapeSpec& spec, const protocol::Response& response,
                            const Origin& made);
  /// Of which form of its table the shape is, and that nothing of another is in its log (I-63).
  void check_form(const std::vector<Message>& messages, ClientView& view, const Object& object);
  void check_transaction_id(const Message& message, const Object& object);
  /// nullopt: objected to.
  std::optional<std::vector<Message>> messages_of(const protocol::ShapeHandle& handle,
                                                  const protocol::Response& response,
                                                  const Object& object);
  void compare(const std::string& client, const protocol::LogOffset& offset, const ClientView& view,
               const Object& object);
  void compare_memberships(const std::string& client, const VisibleSet& visible,
                           const ClientView& view, const Object& object);
  void compare_contents(const VisibleSet& visible, const ClientView& view, const Object& object);
  /// How the view differs from the query, as a sentence; empty: not at all.
  std::string compared(const ClientView& view, const VisibleSet& visible);

  Truth* truth_;
  Journal journal_;
  ConflictLedger ledger_;
  ExpiryOrder expiry_order_;
  Constancy constancy_;
  ChunkRule chunk_rule_;
  std::vector<Violation> violations_;
  std::map<std::string, MembershipCheck> memberships_;  ///< by client; of its view as it is
  OracleCounters counters_;
  std::map<std::pair<std::string, std::size_t>, ShapeSpec> described_;  ///< by name and form
  std::uint64_t comparisons_ = 0;
};

/// The first difference between two sets of rows, as a sentence; empty: they are equal.
std::string difference(const Rows& client, const Rows& query);

}  // namespace holdfast::oracle
