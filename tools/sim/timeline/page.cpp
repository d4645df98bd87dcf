#include "tools/sim/timeline/page.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

namespace holdfast::tools {
namespace {

using nlohmann::json;
using namespace scenarios::timeline;  // the recording's value types

constexpr std::string_view k_template =
#include <holdfast_timeline.inc>
    ;
constexpr std::string_view k_place = "/*holdfast:data*/null";

json step_or_none(std::uint64_t step) {
  return step == k_no_step ? json(-1) : json(step);
}
json lane_or_none(std::uint32_t lane) {
  return lane == k_no_lane ? json(-1) : json(lane);
}

/// A column each, since rows would repeat their names: fifty thousand steps are about a megabyte.
json steps_of(const Recording& recording) {
  json lanes = json::array(), labels = json::array(), times = json::array();
  json decided = json::array();
  std::int64_t before = 0;
  for (std::size_t i = 0; i < recording.steps.size(); ++i) {
    const Step& step = recording.steps[i];
    const bool taken = step.lane != k_no_lane;
    const std::int64_t at = taken ? step.at.since_start.count() / 1'000 : before;
    lanes.push_back(lane_or_none(step.lane));
    labels.push_back(step.label);
    times.push_back(at - before);  // microseconds since the step before
    before = at;
    if (step.decided) decided.push_back(i);
  }
  return {{"lane", lanes}, {"label", labels}, {"time", times}, {"decided", decided}};
}

json arrows_of(const Recording& recording) {
  json columns[6];
  for (json& column : columns) column = json::array();
  for (const Arrow& arrow : recording.arrows) {
    columns[0].push_back(static_cast<int>(arrow.kind));
    columns[1].push_back(arrow.label);
    columns[2].push_back(lane_or_none(arrow.from_lane));
    columns[3].push_back(arrow.from_step);
    columns[4].push_back(arrow.to_lane);
    columns[5].push_back(step_or_none(arrow.to_step));
  }
  return {{"kind", columns[0]},      {"label", columns[1]},   {"from_lane", columns[2]},
          {"from_step", columns[3]}, {"to_lane", columns[4]}, {"to_step", columns[5]}};
}

json lanes_of(const Recording& recording) {
  json lanes = json::array();
  for (const Lane& lane : recording.lanes)
    lanes.push_back(
        {lane.path, static_cast<int>(lane.kind), lane.born, step_or_none(lane.died), lane.reason});
  return lanes;
}

json requests_of(const Recording& recording) {
  json requests = json::array();
  for (const Request& one : recording.requests)
    requests.push_back({{"lane", one.lane},
                        {"shape", one.shape},
                        {"sent", one.sent},
                        {"answered", step_or_none(one.answered)},
                        {"asked", one.asked},
                        {"status", one.status},
                        {"handle", one.handle},
                        {"offset", one.offset},
                        {"body", one.body},
                        {"current", one.up_to_date}});
  return requests;
}

json transactions_of(const Recording& recording) {
  json transactions = json::array();
  for (const Transaction& one : recording.transactions)
    transactions.push_back({{"xid", std::to_string(one.xid)},
                            {"lsn", std::to_string(one.lsn)},
                            {"lane", lane_or_none(one.lane)},
                            {"begun", one.begun},
                            {"logged", step_or_none(one.logged)},
                            {"flushed", step_or_none(one.flushed)},
                            {"shown", step_or_none(one.shown)},
                            {"ended", step_or_none(one.ended)},
                            {"sql", one.statements}});
  return transactions;
}

json storage_of(const Recording& recording) {
  json tables = json::array(), disk = json::array(), confirmed = json::array();
  for (const Table& table : recording.tables)
    tables.push_back({table.name, lane_or_none(table.owner), table.made, step_or_none(table.opened),
                      step_or_none(table.ended)});
  for (const DiskEvent& event : recording.disk)
    disk.push_back(
        {event.step, lane_or_none(event.lane), event.instance, event.what, event.failed ? 1 : 0});
  for (const Confirmed& one : recording.confirmed)
    confirmed.push_back({one.step, std::to_string(one.lsn)});
  return {{"tables", tables}, {"disk", disk}, {"confirmed", confirmed}};
}

json happenings_of(const TimelineSubject& subject) {
  json happenings = json::array();
  for (const scenarios::RestartBegun& begun : subject.report.restarts_begun)
    for (const scenarios::PlannedRestart& restart : subject.plan.restarts)
      if (restart.number == begun.number)
        happenings.push_back({{"step", begun.step},
                              {"kind", "restart"},
                              {"what", name_of(restart.kind)},
                              {"instance", restart.number + 2}});
  for (const scenarios::FaultHit& hit : subject.report.fault_hits)
    happenings.push_back({{"step", hit.step},
                          {"kind", "fault"},
                          {"what", name_of(subject.plan.faults[hit.fault].kind)},
                          {"victim", hit.victim}});
  return happenings;
}

json verdict_of(const TimelineSubject& subject) {
  json violations = json::array();
  const auto& found = subject.report.violations;
  for (std::size_t i = 0; i < found.size() && i < subject.recording.violations.size(); ++i) {
    const Note& where = subject.recording.violations[i];
    violations.push_back({{"step", where.step},
                          {"lane", lane_or_none(where.lane)},
                          {"property", found[i].property},
                          {"what", found[i].what},
                          {"client", found[i].client}});
  }
  return violations;
}

}  // namespace

std::string timeline_page(const TimelineSubject& subject) {
  const Recording& recording = subject.recording;
  json notes = json::array();
  for (const Note& note : recording.notes)
    notes.push_back({note.step, lane_or_none(note.lane), note.text});
  json shapes = json::array();
  for (const oracle::ShapeSpec& spec : subject.plan.specs)
    shapes.push_back({{"name", spec.name}, {"table", spec.table}});
  const json data = {{"scenario", subject.plan.scenario},
                     {"seed", std::to_string(subject.plan.seed)},
                     {"plan", subject.plan.to_text()},
                     {"command", subject.command},
                     {"hash", subject.report.trace_hash.to_hex()},
                     {"shapes", shapes},
                     {"texts", recording.texts},
                     {"lanes", lanes_of(recording)},
                     {"steps", steps_of(recording)},
                     {"arrows", arrows_of(recording)},
                     {"requests", requests_of(recording)},
                     {"transactions", transactions_of(recording)},
                     {"storage", storage_of(recording)},
                     {"notes", notes},
                     {"happenings", happenings_of(subject)},
                     {"violations", verdict_of(subject)}};
  std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string page(k_template);
  const std::size_t place = page.find(k_place);
  ASSERT(place != std::string::npos, "the template has a place for the data");
  // Nothing in the data may end the script that holds it.
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe.push_back(c);
  }
  return page.replace(place, k_place.size(), safe);
}

Result<void> write_timeline(const TimelineSubject& subject, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << timeline_page(subject);
  file.close();
  if (!file) return fail(path + ": cannot be written");
  return {};
}

}  // namespace holdfast::tools
