#include "scenarios/strict_client.hpp"

namespace holdfast::scenarios {

void StrictClient::start_afresh(unsigned restarts_over) {
  state_ = {};
  view_.reset();
  answers_ = 0;
  restarts_at_start_ = restarts_over;
}

oracle::Verdict StrictClient::advance(const std::optional<protocol::Response>& response,
                                      unsigned restarts_over) {
  const oracle::Verdict verdict = oracle::judge(response);
  if (verdict == oracle::Verdict::progress) {
    answers_++;
    served_ = true;
    const bool continued = state_.phase != oracle::ClientPhase::initial;
    crossed_ = crossed_ || (continued && restarts_over > restarts_at_start_);
  } else if (verdict != oracle::Verdict::retry) {
    view_.reset();
  }
  state_ = verdict == oracle::Verdict::fatal ? oracle::ClientState{}
                                             : oracle::next_state(state_, verdict, response);
  return verdict;
}

}  // namespace holdfast::scenarios
