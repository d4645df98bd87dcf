// Choices as people name them.
#include <array>

#include "scenarios/reduction/choices.hpp"
#include "scenarios/repro/fields.hpp"

namespace holdfast::scenarios {
namespace {

std::string ordinal(std::size_t index) {
  return "number " + std::to_string(index + 1);
}

std::string restart_in_words(const PlannedRestart& restart, const RunReport& report) {
  std::string words = "the " + std::string(name_of(restart.kind)) + " restart";
  for (char& c : words)
    if (c == '_') c = ' ';
  for (const RestartBegun& begun : report.restarts_begun)
    if (begun.number == restart.number) words += " at step " + std::to_string(begun.step);
  return words;
}

std::string fault_in_words(const Plan& plan, std::size_t index, const RunReport& report) {
  std::string words = "the fault " + std::string(name_of(plan.faults[index].kind));
  for (const FaultHit& hit : report.fault_hits)
    if (hit.fault == index)
      return words + " at step " + std::to_string(hit.step) +
             (hit.victim.empty() ? "" : " on " + hit.victim);
  return words + " at " + to_text(plan.faults[index].at);
}

std::string statement_in_words(const Plan& plan, std::size_t index) {
  for (std::size_t t = 0; t < plan.transactions.size(); ++t) {
    const auto& statements = plan.transactions[t].statements;
    if (index < statements.size())
      return "the statement " + statements[index].to_sql() + " of transaction " +
             std::to_string(t + 1);
    index -= statements.size();
  }
  return "a statement";
}

std::string knob_text(Duration value) {
  return to_text(value);
}
std::string knob_text(bool value) {
  return value ? "true" : "false";
}
template <class Number>
std::string knob_text(Number value) {
  return std::to_string(value);
}

std::string knob_in_words(const Plan& plan, std::size_t index) {
  std::string words;
  each_knob(plan.knobs, [&](const char* name, const auto& value, const auto& usual) {
    if (value == usual || index-- != 0) return;
    words = std::string("the knob ") + name + " = " + knob_text(value) + " (by default " +
            knob_text(usual) + ")";
  });
  return words;
}

}  // namespace

std::string in_words(const Plan& plan, ChoiceKind kind, std::size_t index,
                     const RunReport& report) {
  switch (kind) {
    case ChoiceKind::table:
      return "the table " + plan.tables[index].name.table;
    case ChoiceKind::shape: {
      const oracle::ShapeSpec& spec = plan.specs[index];
      return "the shape " + spec.name + " (" + spec.table +
             (spec.where.empty() ? "" : " WHERE " + spec.where) + ")";
    }
    case ChoiceKind::client:
      return "the client c" + std::to_string(plan.clients[index].number) + " of shape " +
             plan.specs[plan.clients[index].spec].name;
    case ChoiceKind::restart:
      return restart_in_words(plan.restarts[index], report);
    case ChoiceKind::fault:
      return fault_in_words(plan, index, report);
    case ChoiceKind::probe: {
      const PlannedProbe& probe = plan.probes[index];
      return "the probe " + std::string(name_of(probe.kind)) + " of shape " +
             plan.specs[probe.spec].name + " at " + to_text(probe.at);
    }
    case ChoiceKind::removal: {
      const PlannedRemoval& removal = plan.removals[index];
      return (removal.truncate ? "the TRUNCATE of " + plan.tables[removal.subject].name.table
                               : "the DELETE of shape " + plan.specs[removal.subject].name) +
             " at " + to_text(removal.at);
    }
    case ChoiceKind::alteration: {
      const PlannedAlteration& alteration = plan.alterations[index];
      return std::string(name_of(alteration.kind)) + " of " + alteration.table +
             (alteration.column.empty() ? "" : "." + alteration.column) + " at " +
             to_text(alteration.at);
    }
    case ChoiceKind::calm_commit:
      return "the commit " + ordinal(index) + " at the calm end";
    case ChoiceKind::calm_death:
      return "the death before commit " + ordinal(index) + " at the calm end";
    case ChoiceKind::transaction:
      return "transaction " + ordinal(index);
    case ChoiceKind::statement:
      return statement_in_words(plan, index);
    case ChoiceKind::initial_row:
      return "the row of " + plan.initial_rows[index].to_sql() + " at the start";
    case ChoiceKind::knob:
      return knob_in_words(plan, index);
    case ChoiceKind::decision: {
      const sim::ScheduleDecision& decision = plan.decisions[index];
      return "the schedule's choice to pass over step " + std::to_string(decision.ordinal) +
             " of " + decision.path +
             (decision.times == 1 ? " once" : " " + std::to_string(decision.times) + " times");
    }
    case ChoiceKind::column:
      return "column " + ordinal(index) + " of those that no condition names";
    case ChoiceKind::cell:
      return "cell " + ordinal(index);
  }
  ASSERT(false, "every choice has words");
}

}  // namespace holdfast::scenarios
