// ProberProcess: sends one planned probe at its time and has the oracle judge the answer. What it
// asks again, it takes from the notebook of what clients were served until then.
#pragma once

#include <optional>

#include "core/runtime/process.hpp"
#include "oracle/probe.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

struct Stage;

using ProbeCounters = Counted<oracle::ProbeKind, oracle::k_probe_kinds>;

class ProberProcess : public runtime::Process {
 public:
  ProberProcess(Stage& stage, PlannedProbe plan) : stage_(stage), plan_(plan) {}
  void run();

 protected:
  void init() override;

 private:
  oracle::Probe blank(protocol::Request request) const;
  /// nullopt: nothing was served yet that it could ask for again.
  std::optional<oracle::Probe> make() const;
  std::optional<oracle::Probe> about_a_page() const;
  std::optional<oracle::Probe> about_a_dead_handle() const;
  /// The answer, if it is one of a server that serves.
  std::optional<protocol::Response> send(const oracle::Probe& probe);
  void follow(const protocol::Response& answer);

  Stage& stage_;
  PlannedProbe plan_;
};

}  // namespace holdfast::scenarios
