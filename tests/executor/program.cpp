#include "tests/executor/program.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "core/base/hash.hpp"
#include "core/base/spin_lock.hpp"
#include "core/runtime/owned_table.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::MonitorRef;
using runtime::ProcessExit;
using runtime::ProcessId;
using runtime::Ref;

/// Only a cycle of calls takes so long: time passes when nothing else can happen.
constexpr Duration k_deadlock = 10ms;

const char* name_of(Op op) {
  switch (op) {
    case Op::cast:
      return "cast";
    case Op::call:
      return "call";
    case Op::monitor:
      return "monitor";
    case Op::link:
      return "link";
    case Op::trap:
      return "trap";
    case Op::read:
      return "read";
    case Op::yield:
      return "yield";
    case Op::leave:
      return "leave";
    case Op::kill:
      return "kill";
    case Op::shutdown:
      return "shutdown";
  }
  return "?";
}

/// Where actors write what they saw; outlives them.
struct Board {
  explicit Board(std::size_t actors) : outcome(actors) {
    for (ActorOutcome& each : outcome) each.received.resize(actors);
  }
  template <class F>
  void note(F&& change) {
    const SpinGuard guard(lock);
    change(outcome);
  }
  SpinLock lock;
  Outcome outcome;
};

runtime::TableName<int, int> table_of(unsigned actor) {
  return runtime::TableName<int, int>("actor" + std::to_string(actor));
}

class Actor : public runtime::Process {
 public:
  Actor(unsigned index, std::vector<Step> script, std::shared_ptr<Board> board)
      : index_(index), script_(std::move(script)), board_(std::move(board)) {}

  void init() override {
    table_.emplace(*this, table_of(index_));
    table_->put(1, 1);
  }
  void begin(std::vector<Ref<Actor>> others) {
    others_ = std::move(others);
    for (const Step& step : script_) {
      // Under threads others run between any two steps; the simulator needs to be told.
      yield_point("program");
      perform(step);
      board_->note([&](Outcome& all) { all[index_].executed.push_back(step.number); });
    }
  }
  void take(unsigned sender, unsigned number) {
    board_->note([&](Outcome& all) { all[index_].received[sender].push_back(number); });
  }
  unsigned ask(unsigned sender, unsigned number) {
    take(sender, number);
    return number;
  }

 protected:
  void on_down(MonitorRef, ProcessId ended, const ExitReason& reason) override {
    saw_end("down", ended, reason);
  }
  void on_linked_exit(ProcessId ended, const ExitReason& reason) override {
    saw_end("exit", ended, reason);
  }

 private:
  void saw_end(const char* kind, ProcessId ended, const ExitReason& reason) {
    unsigned who = 0;
    while (who < others_.size() && others_[who].id != ended) ++who;
    board_->note([&](Outcome& all) {
      all[index_].downs.push_back(std::string(kind) + " " + std::to_string(who) + " " +
                                  reason.to_string());
    });
  }
  void result(const Step& step, const std::string& text) {
    board_->note([&](Outcome& all) {
      all[index_].results.push_back(std::to_string(step.number) + "=" + text);
    });
  }
  void perform_call(const Step& step) {
    try {
      const unsigned answer =
          call_within<&Actor::ask>(k_deadlock, others_[step.other], index_, step.number);
      result(step, answer == step.number ? "ok" : "wrong answer");
    } catch (const ProcessExit& exit) {
      result(step, exit.reason.to_string());
    }
  }
  void perform(const Step& step) {
    const Ref<Actor>& other = others_[step.other];
    switch (step.op) {
      case Op::cast:
        return cast<&Actor::take>(other, index_, step.number);
      case Op::call:
        return perform_call(step);
      case Op::monitor:
        monitor(other.id);
        return;
      case Op::link:
        return link(other.id);
      case Op::trap:
        return trap_exits();
      case Op::read: {
        const runtime::TableName<int, int> name = table_of(step.other);
        const runtime::TableRef<int, int> table(runtime(), name);
        const auto row = table.find(1);
        return result(step, row.found() ? "found" : row.missing() ? "missing" : "gone");
      }
      case Op::yield:
        return yield_point("program");
      case Op::leave:
        exit(step.number % 3 == 0   ? ExitReason::normal()
             : step.number % 3 == 1 ? ExitReason::shutdown()
                                    : ExitReason::crash("left"));
      case Op::kill:
        return send_exit(other.id, ExitReason::killed());
      case Op::shutdown:
        return send_exit(other.id, ExitReason::shutdown());
    }
  }

  unsigned index_;
  std::vector<Step> script_;
  std::shared_ptr<Board> board_;
  std::vector<Ref<Actor>> others_;
  std::optional<runtime::OwnedTable<int, int>> table_;
};

/// Draws of one program.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  unsigned below(unsigned limit) {
    return static_cast<unsigned>(combine64(seed_, ++ordinal_) % limit);
  }

 private:
  std::uint64_t seed_;
  std::uint64_t ordinal_ = 0;
};

bool contains(const std::vector<unsigned>& numbers, unsigned number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

std::string complaint(const char* rule, std::size_t actor, unsigned number) {
  return std::string(rule) + ": actor " + std::to_string(actor) + ", step " +
         std::to_string(number);
}

/// Messages: each at most once, in the order sent, none invented, none lost by the living.
std::string wrong_messages(const Program& program, const Outcome& outcome, std::size_t receiver,
                           std::size_t sender) {
  const std::vector<unsigned>& received = outcome[receiver].received[sender];
  std::vector<unsigned> sent;
  for (const Step& step : program[sender])
    if ((step.op == Op::cast || step.op == Op::call) && step.other == receiver)
      sent.push_back(step.number);
  if (!std::is_sorted(received.begin(), received.end()))
    return complaint("messages of one pair overtook each other", receiver, received.front());
  if (std::adjacent_find(received.begin(), received.end()) != received.end())
    return complaint("a message arrived twice", receiver, received.front());
  for (const unsigned number : received)
    if (!contains(sent, number)) return complaint("a message was invented", receiver, number);
  if (outcome[receiver].end != "alive") return {};
  for (const Step& step : program[sender])
    if (step.op == Op::cast && step.other == receiver &&
        contains(outcome[sender].executed, step.number) && !contains(received, step.number))
      return complaint("a message to a living process was lost", receiver, step.number);
  return {};
}

std::string wrong_result(const Outcome& outcome, std::size_t actor, const Step& step) {
  const std::string prefix = std::to_string(step.number) + "=";
  for (const std::string& result : outcome[actor].results) {
    if (!result.starts_with(prefix)) continue;
    const std::string text = result.substr(prefix.size());
    const ActorOutcome& other = outcome[step.other];
    if (step.op == Op::call && text == "ok" && !contains(other.received[actor], step.number))
      return complaint("a call was answered that never arrived", actor, step.number);
    if (step.op == Op::call && text != "ok" && text != "timeout" && other.end == "alive")
      return complaint("a call to a living process ended with its death", actor, step.number);
    if (step.op == Op::read && text == "missing")
      return complaint("a row that is never erased was missing", actor, step.number);
    if (step.op == Op::read && text == "gone" && other.end == "alive")
      return complaint("the table of a living process was gone", actor, step.number);
  }
  return {};
}

std::string wrong_downs(const Program& program, const Outcome& outcome, std::size_t actor) {
  for (std::size_t other = 0; other < program.size(); ++other) {
    std::size_t monitors = 0, downs = 0;
    for (const Step& step : program[actor])
      if (step.op == Op::monitor && step.other == other &&
          contains(outcome[actor].executed, step.number))
        ++monitors;
    for (const std::string& down : outcome[actor].downs)
      if (down.starts_with("down " + std::to_string(other) + " ")) ++downs;
    const auto at = static_cast<unsigned>(other);
    if (downs > 0 && outcome[other].end == "alive")
      return complaint("a living process was reported down", actor, at);
    if (outcome[actor].end != "alive" || outcome[other].end == "alive") continue;
    if (downs != monitors) return complaint("not one down for each monitor", actor, at);
  }
  return {};
}

}  // namespace

Program generate_program(std::uint64_t seed, ProgramSize size) {
  Dice dice(seed);
  Program program(2 + dice.below(size.most_actors - 1));
  unsigned number = 0;
  // Messages are the most of it; deaths are few, or nothing would be left to observe.
  constexpr Op k_ops[] = {Op::cast,  Op::cast, Op::cast,    Op::call,  Op::call,
                          Op::call,  Op::read, Op::monitor, Op::link,  Op::yield,
                          Op::yield, Op::trap, Op::kill,    Op::leave, Op::shutdown};
  const auto actors = static_cast<unsigned>(program.size());
  for (unsigned self = 0; self < actors; ++self) {
    const unsigned steps = 1 + dice.below(size.most_steps);
    for (unsigned i = 0; i < steps; ++i) {
      Step step;
      step.op = k_ops[dice.below(std::size(k_ops))];
      step.other = (self + 1 + dice.below(actors - 1)) % actors;  // anybody but itself
      step.number = ++number;
      program[self].push_back(step);
    }
  }
  return program;
}

Outcome run_program(const Program& program, ExecutorFixture& fixture) {
  const auto board = std::make_shared<Board>(program.size());
  runtime::Runtime& runtime = fixture.runtime();
  std::vector<Ref<Actor>> actors;
  for (unsigned i = 0; i < program.size(); ++i)
    actors.push_back(runtime.spawn_root<Actor>({.role = "actor", .key = std::to_string(i)}, i,
                                               program[i], board));
  for (unsigned i = 0; i < program.size(); ++i)
    runtime.monitor_outside(actors[i].id, [board, i](const ExitReason& reason) {
      board->note([&](Outcome& all) { all[i].end = reason.to_string(); });
    });
  fixture.pass(1ms);  // a table is gone, too, before its owner has started
  for (const Ref<Actor>& actor : actors) runtime.cast_from_outside<&Actor::begin>(actor, actors);
  fixture.settle();
  for (ActorOutcome& each : board->outcome) std::sort(each.downs.begin(), each.downs.end());
  return board->outcome;
}

std::string violated_rule(const Program& program, const Outcome& outcome) {
  for (std::size_t actor = 0; actor < program.size(); ++actor) {
    std::string wrong = wrong_downs(program, outcome, actor);
    for (std::size_t other = 0; other < program.size() && wrong.empty(); ++other)
      wrong = wrong_messages(program, outcome, actor, other);
    for (const Step& step : program[actor])
      if (wrong.empty()) wrong = wrong_result(outcome, actor, step);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

bool same_observations(const Outcome& a, const Outcome& b) {
  const auto same = [](const ActorOutcome& x, const ActorOutcome& y) {
    return x.received == y.received && x.results == y.results && x.downs == y.downs &&
           x.end == y.end;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

std::string to_string(const Program& program) {
  std::string text;
  for (std::size_t i = 0; i < program.size(); ++i) {
    text += "actor " + std::to_string(i) + ":";
    for (const Step& step : program[i])
      text += " " + std::to_string(step.number) + ":" + name_of(step.op) + "(" +
              std::to_string(step.other) + ")";
    text += "\n";
  }
  return text;
}

std::string to_string(const Outcome& outcome) {
  std::string text;
  for (std::size_t i = 0; i < outcome.size(); ++i) {
    text += "actor " + std::to_string(i) + ": " + outcome[i].end;
    for (std::size_t sender = 0; sender < outcome[i].received.size(); ++sender)
      for (const unsigned number : outcome[i].received[sender])
        text += " <" + std::to_string(sender) + ":" + std::to_string(number);
    for (const std::string& result : outcome[i].results) text += " " + result;
    for (const std::string& down : outcome[i].downs) text += " [" + down + "]";
    text += "\n";
  }
  return text;
}

}  // namespace holdfast::test
