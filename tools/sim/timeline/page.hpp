// The timeline of a run as one HTML page that needs nothing else: page.html with its style and
// scripts, put into the program when it is built, and the recorded run as JSON.
#pragma once

#include <string>

#include "core/base/result.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/run.hpp"
#include "scenarios/timeline/recording.hpp"

namespace holdfast::tools {

struct TimelineSubject {
  const scenarios::Plan& plan;
  const scenarios::RunReport& report;
  const scenarios::timeline::Recording& recording;
  std::string command;  ///< that makes this page again
};

std::string timeline_page(const TimelineSubject& subject);
/// Fails if the file cannot be written whole.
Result<void> write_timeline(const TimelineSubject& subject, const std::string& path);

}  // namespace holdfast::tools
