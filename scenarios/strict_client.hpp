// One client of one shape as a plan has it: what it asks next and what becomes of it with each
// answer, by the official client's rules, and what it holds. Never waits and knows no clock: who
// drives it sends, waits and sleeps, in the simulated world as in the real one.
#pragma once

#include <string>

#include "oracle/client/client_rules.hpp"
#include "oracle/client/client_view.hpp"
#include "oracle/oracle.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

class StrictClient {
 public:
  /// `spec` outlives it.
  StrictClient(const oracle::ShapeSpec& spec, PlannedClient plan)
      : plan_(plan), name_("c" + std::to_string(plan.number)), spec_(&spec), view_(spec) {}

  /// By its plan, the application ends now and another one begins with nothing.
  bool is_to_start_afresh() const { return plan_.fresh_after > 0 && answers_ >= plan_.fresh_after; }
  /// By its plan, it had what it came for.
  bool is_to_leave() const { return plan_.leaves_after > 0 && answers_ >= plan_.leaves_after; }
  /// Begins with nothing. `restarts_over`: how many restarts of the run are.
  void start_afresh(unsigned restarts_over);

  /// How long to wait before the next request.
  Duration delay() const { return oracle::delay_before(state_); }
  protocol::Request next_request() const { return oracle::next_request(*spec_, state_); }
  /// An exchange of the next request, not answered yet.
  oracle::Exchange exchange_at(Instant sent) const { return {spec_, name_, state_, {}, sent, {}}; }
  /// The oracle judges the answer and applies it to the view.
  void judge(const oracle::Exchange& exchange, oracle::Oracle& oracle) {
    oracle.observe(exchange, view_);
  }
  /// What follows from an answer, once it was judged, or where nobody judges.
  oracle::Verdict advance(const std::optional<protocol::Response>& response,
                          unsigned restarts_over);

  /// The next requests differ from all others in this, so that no cache has an answer to them.
  void use_cache_buster(unsigned value) { state_.cache_buster = value; }

  const PlannedClient& plan() const { return plan_; }
  const std::string& name() const { return name_; }
  const oracle::ShapeSpec& spec() const { return *spec_; }
  const oracle::ClientView& view() const { return view_; }
  const oracle::ClientState& state() const { return state_; }
  /// It is live, and its last up-to-date marker is this or later.
  bool has_seen(std::uint64_t commit) const {
    return state_.phase == oracle::ClientPhase::live && view_.marker() >= commit;
  }
  /// It was answered once: its table is published, so what is committed from now on is streamed.
  bool was_served() const { return served_; }
  /// It went on from its offset after a restart that came after its beginning.
  bool crossed_a_restart() const { return crossed_; }

 private:
  PlannedClient plan_;
  std::string name_;
  const oracle::ShapeSpec* spec_;
  oracle::ClientView view_;
  oracle::ClientState state_;
  unsigned answers_ = 0;  ///< since it began with nothing
  unsigned restarts_at_start_ = 0;
  bool served_ = false;
  bool crossed_ = false;
};

}  // namespace holdfast::scenarios
