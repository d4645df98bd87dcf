// Supervisors: who starts whom, in which order, and what a death means for the others. Start and
// stop order is data (SupervisorSpec). Children start in order, each after the init() of the one
// before returned, and stop in reverse: shutdown request, limit, then kill. Children added later by
// start_child() stop before the static ones and all at the same time, each within its own limit.
// A failed init() of a static child fails the supervisor's own start; at a restart it counts as one
// more restart and is tried again. A supervisor handles one message at a time, so a slow init() or
// a slow stop of one child delays the others, as in OTP.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/runtime/process.hpp"

namespace holdfast::runtime {

enum class Restart : std::uint8_t { permanent, transient, temporary };
enum class Strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one };

struct ChildSpec {
  std::string role = {};
  std::string key = {};              ///< empty for a static child
  std::string registered_name = {};  ///< empty: none
  std::function<std::unique_ptr<Process>()> make = {};
  Restart restart = Restart::permanent;
  /// How long a stop may take before the kill; zero kills at once; Duration::max() waits for ever
  /// (supervisors only).
  Duration shutdown_limit = std::chrono::seconds(5);
  /// Its own end, unless it is restarted, ends the supervisor (OTP's auto_shutdown). Not for
  /// permanent children, which are always restarted.
  bool significant = false;
};

struct SupervisorSpec {
  Strategy strategy = Strategy::one_for_one;
  unsigned intensity = 3;  ///< more restarts than this within `period` end the supervisor: shutdown
  Duration period = std::chrono::seconds(5);
  std::vector<ChildSpec> children = {};
};

class Supervisor : public Process {
 public:
  explicit Supervisor(SupervisorSpec spec);
  ~Supervisor() override;

  /// The ChildSpec of a supervisor: no shutdown limit, registered under `name`.
  static ChildSpec child(std::string role, std::string name, std::function<SupervisorSpec()> spec,
                         Restart restart = Restart::permanent);

  // -- handlers -----------------------------------------------------------------------------------

  /// Adds and starts a child. An equal (role, key) that runs: its id. A failed init(): its reason.
  Result<ProcessId, ExitReason> start_child(ChildSpec spec);
  /// Stops a child within its limit and forgets it. False: there was none.
  bool terminate_child(std::string role, std::string key);
  /// The live child, if any.
  std::optional<ProcessId> child_of(std::string role, std::string key);
  std::size_t count_children();

 protected:
  void init() override;
  void terminate(const ExitReason&) override;
  void on_linked_exit(ProcessId, const ExitReason&) override;

 private:
  struct Child;
  struct State;

  Child& add(ChildSpec spec);
  void forget(Child& child);
  Result<ProcessId, ExitReason> start(Child& child);
  void stop(Child& child);
  void stop_together();
  void stop_in_reverse(std::uint64_t first_order);
  void restart(std::uint64_t order);
  void start_again(std::uint64_t first_order);
  void count_restart();
  /// A handler: a restart whose init() failed is tried again after other messages.
  void retry(std::uint64_t order);

  std::unique_ptr<State> state_;
};

}  // namespace holdfast::runtime
