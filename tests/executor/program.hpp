// Small random programs of processes, as values, and what can be seen of a run of one. The same
// program runs under any executor; an outcome under threads must be one that the simulated executor
// can produce (design.md §5).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/runtime/executor_fixture.hpp"

namespace holdfast::test {

enum class Op : std::uint8_t {
  cast,  ///< a numbered message
  call,  ///< likewise, and wait for the answer
  monitor,
  link,
  trap,  ///< trap exits from now on
  read,  ///< the other's table
  yield,
  leave,     ///< end with normal, shutdown or a crash, by `number`
  kill,      ///< the other
  shutdown,  ///< ask the other to end
};

struct Step {
  Op op = Op::yield;
  unsigned other = 0;   ///< index of the actor it is about
  unsigned number = 0;  ///< unique in the program
};

/// One script an actor.
using Program = std::vector<std::vector<Step>>;

struct ProgramSize {
  unsigned most_actors = 5;
  unsigned most_steps = 6;  ///< of one actor
};

Program generate_program(std::uint64_t seed, ProgramSize size);
std::string to_string(const Program& program);

/// What one actor saw, and what became of it.
struct ActorOutcome {
  std::vector<std::vector<unsigned>> received;  ///< numbers by sender, in order of arrival
  std::vector<std::string> results;             ///< of its own calls and reads, in order
  std::vector<std::string> downs;               ///< sorted: their order among targets is free
  std::vector<unsigned> executed;               ///< numbers of the steps it got to, in order
  std::string end = "alive";                    ///< else the reason
};
using Outcome = std::vector<ActorOutcome>;
/// The same but for the steps that were executed: nobody sees how far a process got that ended.
bool same_observations(const Outcome& a, const Outcome& b);
std::string to_string(const Outcome& outcome);

/// Runs the program until nothing happens any more.
Outcome run_program(const Program& program, ExecutorFixture& fixture);

/// What holds of every outcome whatever the schedule; empty, or what is wrong.
std::string violated_rule(const Program& program, const Outcome& outcome);

}  // namespace holdfast::test
