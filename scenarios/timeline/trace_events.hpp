// What the engine tells of itself, in the run's trace and timeline.
#pragma once

#include <string>

#include "core/observe/events.hpp"
#include "scenarios/timeline/recorder.hpp"
#include "sim/trace.hpp"

namespace holdfast::scenarios {

/// Structured events of the engine become notes in the trace.
class TraceEvents final : public observe::EventSink {
 public:
  TraceEvents(sim::Trace& trace, timeline::Recorder* recorder)
      : trace_(trace), recorder_(recorder) {}
  void emit(const observe::Event& event) override {
    std::string line(event.name);
    for (const auto& [name, value] : event.fields)
      line.append(" ").append(name).append("=").append(value);
    if (recorder_ != nullptr) recorder_->note(line);
    trace_.note(std::move(line));
  }

 private:
  sim::Trace& trace_;
  timeline::Recorder* recorder_;
};

}  // namespace holdfast::scenarios
