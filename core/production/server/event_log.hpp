// Events as lines on stderr: "2026-11-23T04:10:00.123456Z [info] shape_removed handle=1-2
// reason=…". One write a line, so that lines of several threads do not mix. Thread-safe.
#pragma once

#include <mutex>
#include <string>

#include "core/env/clock.hpp"
#include "core/observe/events.hpp"

namespace holdfast::production {

class EventLog final : public observe::EventSink {
 public:
  /// Lines go to the file descriptor `to`, those below `least` nowhere.
  EventLog(env::Clock& clock, observe::Level least, int to)
      : clock_(clock), least_(least), to_(to) {}

  void emit(const observe::Event& event) override;
  /// A sentence for people, where no structured event fits.
  void say(observe::Level level, const std::string& sentence);

 private:
  void write_line(observe::Level level, const std::string& text);

  env::Clock& clock_;
  observe::Level least_;
  int to_;
  std::mutex mutex_;
};

/// "text" as it is, or quoted with escapes if it is empty or holds blanks, quotes or control
/// characters: a field never looks like two, a line never like two.
std::string log_value(const std::string& text);

}  // namespace holdfast::production
