#include "scenarios/reduction/simplify.hpp"

#include <algorithm>

namespace holdfast::scenarios {
namespace {

/// Offers each part of the plan that is not at its plainest, in order; `take` decides by number.
class Simplifier {
 public:
  Simplifier(Plan& plan, std::size_t first, std::size_t last)
      : plan_(plan), first_(first), last_(last) {}

  std::size_t offered() const { return offered_; }

  void all() {
    for (oracle::ShapeSpec& spec : plan_.specs) shape(spec);
    for (PlannedClient& client : plan_.clients) {
      plain(client.fresh_after);
      plain(client.starts_at);
      plain(client.patience);
      plain(client.lag);
      plain(client.proxied);
    }
    const auto used =
        std::max_element(plan_.transactions.begin(), plan_.transactions.end(),
                         [](const auto& a, const auto& b) { return a.writer < b.writer; });
    const unsigned writers = used == plan_.transactions.end() ? 1 : used->writer + 1;
    for (PlannedTransaction& tx : plan_.transactions) transaction(tx);
    offer(plan_.writers, std::min(writers, plan_.writers));
    for (PlannedRestart& each : plan_.restarts) restart(each);
    for (PlannedFault& fault : plan_.faults) plain(fault.moment);
    for (PlannedFault& fault : plan_.faults)
      if (!fault.victim.empty() && fault.kind != FaultKind::stall_process) plain(fault.pick);
    for (PlannedRemoval& removal : plan_.removals) plain(removal.at);
    for (PlannedAlteration& alteration : plan_.alterations) {
      offer(alteration.moment, Moment::any_time);
      plain(alteration.at);
      plain(alteration.undone_after);
    }
  }

 private:
  template <class T>
  void offer(T& value, const T& plainer) {
    if (value == plainer) return;
    if (offered_ >= first_ && offered_ < last_) value = plainer;
    ++offered_;
  }
  template <class T>
  void plain(T& value) {
    offer(value, T{});
  }
  void shape(oracle::ShapeSpec& spec) {
    oracle::ShapeSpec plainer = spec;
    plainer.where.clear();
    if (is_new(plainer)) offer(spec.where, plainer.where);
    if (spec.where.empty()) spec.inner_tables.clear();
    plainer = spec;
    plainer.columns.clear();
    if (is_new(plainer)) offer(spec.columns, plainer.columns);
    plainer = spec;
    plainer.replica = {};
    if (is_new(plainer)) offer(spec.replica, plainer.replica);
  }
  /// No other shape has this definition.
  bool is_new(const oracle::ShapeSpec& spec) const {
    return std::none_of(plan_.specs.begin(), plan_.specs.end(), [&](const auto& other) {
      return other.name != spec.name && same_definition(other, spec);
    });
  }
  void transaction(PlannedTransaction& tx) {
    plain(tx.rolls_back);
    offer(tx.synchronous, sim::postgres::Synchronous::on);
    plain(tx.writer);
    plain(tx.pause_before);
    plain(tx.standby_wait);
    for (Duration& pause : tx.pauses) plain(pause);
  }
  void restart(PlannedRestart& each) {
    plain(each.kill_during_stop);
    plain(each.moment);
    plain(each.overlap);
    plain(each.down_time);
    plain(each.kill_delay);
    plain(each.after);
  }

  Plan& plan_;
  std::size_t first_, last_;
  std::size_t offered_ = 0;
};

}  // namespace

std::size_t count_simplifications(const Plan& plan) {
  Plan copy = plan;
  Simplifier simplifier(copy, 0, 0);
  simplifier.all();
  return simplifier.offered();
}

Plan simplified(const Plan& plan, std::size_t first, std::size_t last) {
  Plan plainer = plan;
  Simplifier(plainer, first, last).all();
  return plainer;
}

}  // namespace holdfast::scenarios
